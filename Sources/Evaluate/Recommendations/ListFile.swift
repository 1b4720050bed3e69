import ShardIO
import SystemPackage
import TextInput
import TextOutput

/// A file of an output that lists are written to; a Parquet file is made of CSV by duckdb once all lists are there.
struct ListFile: ~Copyable {
  private let encoding: RecommendationEncoding
  private let name: String
  private var file: OutputFile
  /// Where the rows of a Parquet file wait; nil for text.
  private let rows: ScratchFile?
  private let directory: FilePath

  /// Begins the file.
  ///
  /// - Parameters:
  ///   - stem: the name up to the ending, which the encoding knows.
  ///   - encoding: the form of the lists.
  ///   - output: gets the file.
  /// - Throws: `PipelineError` `.cannotCreate`, `.inputOutput`.
  init(
    _ stem: String, _ encoding: RecommendationEncoding, in output: borrowing StageOutput
  ) throws(PipelineError) {
    let name = "\(stem).\(encoding.fileExtension)"
    let rows = encoding.format == .parquet ? try ScratchFile(in: output.directory) : nil
    let file = try output.beginFile(name)
    self.encoding = encoding
    self.name = name
    self.rows = rows
    self.file = file
    directory = output.directory
  }

  /// Adds the bytes of some lists, the header before the first ones.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  mutating func append(_ bytes: [UInt8]) throws(PipelineError) {
    if let rows {
      _ = try rows.write(bytes)
    } else {
      try file.append(try encoding.compression.encoded(bytes))
    }
  }

  /// Makes the file part of the output.
  ///
  /// - Throws: `PipelineError` `.inputOutput`; `.configuration` if there is no duckdb, `.dataFormat` if it fails.
  consuming func end(in output: inout StageOutput) throws(PipelineError) {
    if let rows {
      let parquet = try ScratchFile(in: directory)
      try DuckDB.convert(
        encoding.parquetStatement, from: rows, to: parquet, place: directory.appending(name).string)
      try parquet.forEachPiece { bytes throws(PipelineError) in try file.append(bytes) }
    }
    try output.endFile(file)
  }
}
