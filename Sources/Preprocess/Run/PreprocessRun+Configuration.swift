internal import Dataset
internal import ShardIO
internal import TextInput

extension PreprocessRun {
  /// The resolved options, as the manifest stores them.
  ///
  /// Paths are left out: equal data in another folder gives an equal output.
  var configuration: [String: JSONValue] {
    func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    let builder = derivation.pairBuilder
    return [
      "seed": .string(String(seed)),
      "format": optional(input.format?.rawValue),
      "hasHeader": .bool(!input.noHeader),
      "delimiter": input.delimiter.map { JSONValue($0.byte) } ?? .null,
      "userColumn": optional(input.userColumn),
      "itemColumn": optional(input.itemColumn),
      "timeColumn": optional(input.timeColumn),
      "ratingColumn": optional(input.ratingColumn),
      "eventColumn": optional(input.eventColumn),
      "events": .object(filters.eventWeights.mapValues { JSONValue(Int($0)) }),
      "minimumWeight": filters.minimumWeight.map { JSONValue($0) } ?? .null,
      "ties": input.hasTimes ? .string(input.tieRule.rawValue) : .null,
      "timestampFormat": .string(input.timestampFormat.rawValue),
      "hasItems": .bool(input.items != nil),
      "hasVectors": .bool(input.vectors != nil),
      "vectorField": optional(input.vectorField),
      "textVectors": JSONValue(encoder?.width ?? input.textVectorWidth),
      "itemIdField": optional(input.itemIdField),
      "titleField": optional(input.titleField),
      "categoriesField": optional(input.categoriesField),
      "text": .string(input.text ?? TextTemplate.usual),
      "missingItems": .string((input.missingItems ?? .error).rawValue),
      "missingVectors": .string((input.missingVectors ?? .error).rawValue),
      "keepNullIds": .bool(input.keepNullIds),
      "skipBadRows": .bool(input.skipBadRows),
      "userCore": JSONValue(filters.userCore),
      "itemCore": JSONValue(filters.itemCore),
      "onePassCore": .bool(filters.onePassCore),
      "dedup": .string(filters.dedup.rawValue),
      "minimumRating": filters.minimumRating.map { .number($0) } ?? .null,
      "from": optional(filters.from?.argument),
      "until": optional(filters.until?.argument),
      "maximumHistory": filters.maximumHistory.map { JSONValue($0) } ?? .null,
      "split": .string(derivation.split.rawValue),
      "heldOut": JSONValue(derivation.heldOut ?? 1),
      "validFrom": optional(derivation.validFrom?.argument),
      "testFrom": optional(derivation.testFrom?.argument),
      "headShare": .number(derivation.headShare),
      "tailThreshold": JSONValue(derivation.tailThreshold),
      "pairs": .array(derivation.pairs.kinds.map { .string($0.rawValue) }),
      "pairWindow": JSONValue(builder.window),
      "pairCount": JSONValue(builder.maximumCount),
      "pairMinimum": JSONValue(builder.minimumOccurrences),
      "negatives": JSONValue(derivation.negatives),
      "popularNegatives": JSONValue(derivation.popularNegatives),
    ]
  }
}
