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
      "has_header": .bool(!input.noHeader),
      "delimiter": input.delimiter.map { JSONValue($0.byte) } ?? .null,
      "user_column": optional(input.userColumn),
      "item_column": optional(input.itemColumn),
      "time_column": optional(input.timeColumn),
      "rating_column": optional(input.ratingColumn),
      "event_column": optional(input.eventColumn),
      "events": .object(filters.eventWeights.mapValues { JSONValue(Int($0)) }),
      "minimum_weight": filters.minimumWeight.map { JSONValue($0) } ?? .null,
      "ties": input.hasTimes ? .string(input.tieRule.rawValue) : .null,
      "timestamp_format": .string(input.timestampFormat.rawValue),
      "has_items": .bool(input.items != nil),
      "has_vectors": .bool(input.vectors != nil),
      "vector_field": optional(input.vectorField),
      "text_vectors": JSONValue(input.textVectorWidth),
      "item_id_field": optional(input.itemIdField),
      "title_field": optional(input.titleField),
      "categories_field": optional(input.categoriesField),
      "text": .string(input.text ?? TextTemplate.usual),
      "missing_items": .string((input.missingItems ?? .error).rawValue),
      "missing_vectors": .string((input.missingVectors ?? .error).rawValue),
      "keep_null_ids": .bool(input.keepNullIds),
      "skip_bad_rows": .bool(input.skipBadRows),
      "user_core": JSONValue(filters.userCore),
      "item_core": JSONValue(filters.itemCore),
      "one_pass_core": .bool(filters.onePassCore),
      "dedup": .string(filters.dedup.rawValue),
      "minimum_rating": filters.minimumRating.map { .number($0) } ?? .null,
      "from": optional(filters.from?.argument),
      "until": optional(filters.until?.argument),
      "maximum_history": filters.maximumHistory.map { JSONValue($0) } ?? .null,
      "split": .string(derivation.split.rawValue),
      "held_out": JSONValue(derivation.heldOut ?? 1),
      "valid_from": optional(derivation.validFrom?.argument),
      "test_from": optional(derivation.testFrom?.argument),
      "head_share": .number(derivation.headShare),
      "tail_threshold": JSONValue(derivation.tailThreshold),
      "pairs": .array(derivation.pairs.kinds.map { .string($0.rawValue) }),
      "pair_window": JSONValue(builder.window),
      "pair_count": JSONValue(builder.maximumCount),
      "pair_minimum": JSONValue(builder.minimumOccurrences),
      "negatives": JSONValue(derivation.negatives),
      "popular_negatives": JSONValue(derivation.popularNegatives),
    ]
  }
}
