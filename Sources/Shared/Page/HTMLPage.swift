/// One file that a browser shows without scripts and without anything from the network.
public struct HTMLPage {
  private let title: String
  private let subtitle: String
  private let sections: [String]

  /// Prepares a page.
  ///
  /// - Parameters:
  ///   - title: plain text, the heading and the name of the window.
  ///   - subtitle: plain text under the heading.
  ///   - sections: markup, in order; empty ones leave no trace.
  public init(title: String, subtitle: String, sections: [String]) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections.filter { !$0.isEmpty }
  }

  /// The page.
  public var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>
    \(pageStyle)
    </style>
    </head>
    <body>
    <h1>\(escaped(title))</h1>
    <p class="dim">\(escaped(subtitle))</p>
    \(sections.joined(separator: "\n"))
    </body>
    </html>

    """
  }
}
