internal import Dataset
internal import ShardIO
internal import TextInput

extension PreprocessRun {
  /// The vectors of the catalogue: those given, completed from texts where that is asked for, or made of texts alone; and
  /// the encoder of the texts, where one was used.
  ///
  /// - Throws: `PipelineError`: as ``VectorReader/read(_:count:)``; `.dataFormat` if an item has neither a vector nor a text;
  ///   `.configuration` if too few items have both.
  func vectors(
    _ data: DenseData, _ catalogue: Catalogue, _ reader: VectorReader?,
    _ counters: inout [String: JSONValue]
  ) throws(PipelineError) -> (vectors: ItemVectors, encoder: TextEncoder?)? {
    guard let reader else {
      guard input.textVectorWidth > 0, input.items != nil else { return nil }
      return textEncoder(catalogue.texts).map {
        ($0.encode(catalogue.texts, threads: threads), $0)
      }
    }
    var targets = [UInt32?](repeating: nil, count: reader.ids.count)
    var missing: [Int] = []
    for (dense, item) in data.kept.enumerated() {
      if let row = reader.ids.find(data.log.items[item]) {
        targets[Int(row)] = UInt32(dense)
      } else {
        missing.append(dense)
      }
    }
    counters["vectorRows"] = JSONValue(reader.ids.count)
    let given = try reader.read(targets, count: data.kept.count)
    if input.missingVectors == .text {
      counters["vectorsFromText"] = JSONValue(missing.count)
    }
    guard !missing.isEmpty else { return (given, nil) }
    guard input.missingVectors == .text else {
      throw PipelineError(
        .internalError, "item \(quoted(catalogue.itemIDs[missing[0]])) has lost its vector")
    }
    return try completed(given, catalogue, missing, &counters)
  }

  /// The encoder of an earlier run, where one is named; else one for these texts, nil if they have nothing in common.
  private func textEncoder(_ texts: [String]) -> TextEncoder? {
    encoder
      ?? TextEncoder(fitting: texts, width: input.textVectorWidth, seed: seed, threads: threads)
  }

  private func completed(
    _ given: ItemVectors, _ catalogue: Catalogue, _ missing: [Int],
    _ counters: inout [String: JSONValue]
  ) throws(PipelineError) -> (vectors: ItemVectors, encoder: TextEncoder?) {
    let textless = missing.filter { catalogue.texts[$0].isEmpty }
    if let first = textless.first {
      let others = textless.count > 1 ? " and \(textless.count - 1) more have" : " has"
      throw PipelineError(
        .dataFormat,
        "item \(quoted(catalogue.itemIDs[first]))\(others) neither a vector nor a text",
        at: .init(path: input.items ?? ""),
        note: "add a text or a vector, or leave their events out with --missing-vectors drop")
    }
    let encoder = textEncoder(catalogue.texts)
    let result = encoder.flatMap {
      VectorCompletion(encoder: $0, threads: threads)
        .complete(given, texts: catalogue.texts, missing: missing)
    }
    guard let result else {
      let both = catalogue.count - missing.count - catalogue.texts.count(where: \.isEmpty)
      throw PipelineError(
        .configuration,
        """
        \(missing.count) items have no vector, and \(both) have a vector and a text, too few (or with nothing in \
        common) to learn from
        """, at: .init(path: input.vectors ?? ""),
        note: "use --missing-vectors drop, or leave out --vectors to make all vectors from texts")
    }
    counters["textExplains"] = .number(result.explainedShare)
    return (result.vectors, encoder)
  }
}
