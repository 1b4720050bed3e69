import Testing

@testable import Page

struct `Markup` {
  @Test func `text cannot become an element or end an attribute`() {
    #expect(escaped("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;")
  }

  @Test func `an accent behind a sign of markup does not hide it`() {
    #expect(escaped("\"\u{301} x=<\u{301}b>") == "&quot;\u{301} x=&lt;\u{301}b&gt;")
  }

  @Test func `characters that cannot be seen, or turn others around, are shown`() {
    #expect(
      escaped("a\u{0}b\u{1B}\u{7F}\u{9B}\u{202E}\u{2067}\u{200F}\u{61C}")
        == "a␀b␛␡⟨U+009B⟩⟨U+202E⟩⟨U+2067⟩⟨U+200F⟩⟨U+061C⟩")
    #expect(visible("tab\tline\nend\r") == "tab\tline\nend\n")
    #expect(visible("שלום, é") == "שלום, é")
  }

  @Test func `text is cut in characters, before it is escaped`() {
    #expect(escaped("&&&", limit: 2) == "&amp;&amp;…")
    #expect(escaped("&&", limit: 2) == "&amp;&amp;")
  }

  @Test func `numbers are grouped and rounded`() {
    #expect([0, 999, 1000, -1_234_567].map { grouped($0) } == ["0", "999", "1,000", "-1,234,567"])
    #expect(decimal(0.12345, 3) == "0.123" && decimal(-2, 0) == "-2")
    #expect(coordinate(3) == "3" && coordinate(3.26) == "3.3")
  }

  @Test func `a table has its header, and row names in its first column`() {
    let table = htmlTable(header: ["a<", "b"], rows: [["x", "1"]])
    #expect(table.contains("<th>a&lt;</th><th>b</th>"))
    #expect(table.contains("<tr><th scope=\"row\">x</th><td>1</td></tr>"))
  }

  @Test func `what is folded opens without a script`() {
    #expect(
      folded("a & b", "<p>c</p>") == "<details><summary>a &amp; b</summary>\n<p>c</p>\n</details>")
    #expect(folded("a", isOpen: true, "").hasPrefix("<details open>"))
  }

  @Test func `a page needs nothing else and leaves out empty sections`() {
    let page = HTMLPage(title: "<t>", subtitle: "s", sections: ["<p>1</p>", "", "<p>2</p>"]).html
    #expect(page.contains("<h1>&lt;t&gt;</h1>") && page.contains("<p>1</p>\n<p>2</p>\n</body>"))
    for unwanted in ["<script", "http:", "https:", "src=", "href=", "@import", "url("] {
      #expect(!page.contains(unwanted), "\(unwanted)")
    }
  }
}
