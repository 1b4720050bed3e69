/// A failure that a person can act on: what is wrong, where, and what to do about it.
///
/// Every function of the pipeline that can fail throws this type, so that each failure has an exit status.
public struct PipelineError: Error, Sendable, Equatable {
  /// The class of a failure; the raw value is the exit status, after sysexits.h.
  public enum Kind: Int32, Sendable, CaseIterable {
    /// The command line is wrong.
    case usage = 64
    /// An input file has wrong contents.
    case dataFormat = 65
    /// An input file is missing or cannot be read.
    case missingInput = 66
    /// A fault of the program itself.
    case internalError = 70
    /// An output cannot be created.
    case cannotCreate = 73
    /// Reading or writing stopped half-way, for example on a full disk.
    case inputOutput = 74
    /// Another process is busy with the same output; try again later.
    case temporaryFailure = 75
    /// Inputs or options that are each right but do not belong together.
    case configuration = 78
  }

  /// A place in a file.
  public struct Location: Sendable, Equatable {
    /// The file, as the user named it.
    public var path: String
    /// The line, from 1.
    public var line: Int?
    /// The column in bytes, from 1.
    public var column: Int?
    /// The offset from the start of the decompressed contents, from 0.
    public var byteOffset: Int?

    /// Creates a location from what is known of it.
    public init(path: String, line: Int? = nil, column: Int? = nil, byteOffset: Int? = nil) {
      self.path = path
      self.line = line
      self.column = column
      self.byteOffset = byteOffset
    }
  }

  /// The class of the failure.
  public var kind: Kind
  /// What is wrong, with the value found and what was expected; lower case, no full stop.
  public var message: String
  /// Where, if a file is to blame.
  public var location: Location?
  /// What to do about it.
  public var note: String?

  /// Creates an error from its parts.
  public init(_ kind: Kind, _ message: String, at location: Location? = nil, note: String? = nil) {
    self.kind = kind
    self.message = message
    self.location = location
    self.note = note
  }
}

extension PipelineError.Location: CustomStringConvertible {
  /// The form that editors jump to: `file:line:column`, or `file (byte n of the decompressed contents)`.
  public var description: String {
    var text = path
    if let line {
      text += ":\(line)"
      if let column { text += ":\(column)" }
    }
    if let byteOffset { text += " (byte \(byteOffset), decompressed)" }
    return text
  }
}

extension PipelineError: CustomStringConvertible {
  /// One line `place: error: message`, and a second line `note: …` if there is a note.
  public var description: String {
    let place = location.map { "\($0): " } ?? ""
    let remark = note.map { "\nnote: \($0)" } ?? ""
    return "\(place)error: \(message)\(remark)"
  }
}

/// Text of a user made safe for a message: in single quotes, cut after 40 characters, control characters escaped.
public func quoted(_ text: some StringProtocol) -> String {
  var result = "'"
  for (index, character) in text.unicodeScalars.enumerated() {
    if index == 40 { return result + "…'" }
    switch character.value {
    case 0x0A: result += "\\n"
    case 0x0D: result += "\\r"
    case 0x09: result += "\\t"
    case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
      result += "\\u{\(String(character.value, radix: 16))}"
    default: result.unicodeScalars.append(character)
    }
  }
  return result + "'"
}
