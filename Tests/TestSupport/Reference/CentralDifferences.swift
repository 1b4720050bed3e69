/// Where a gradient differs from the central differences of a Double function.
public struct GradientMismatch: Error, CustomStringConvertible {
  /// Input, place, both numbers.
  public let description: String
}

/// Compares the gradient of an engine with central differences, `(f(x + εv) − f(x − εv)) / 2ε` with ε = 1e-5.
///
/// Each input is moved along some of its coordinates (the first, the last, random ones) and along random directions
/// of all its coordinates, so that no coordinate is left out. Differences count relative to the largest gradient
/// element of the input, or to the length of the gradient for a direction.
///
/// - Parameters:
///   - inputs: the point.
///   - names: what messages call the inputs; their numbers if empty.
///   - gradients: the engine's gradient of each input.
///   - coordinates: the largest number of single coordinates of each input.
///   - tolerance: the largest relative difference; 1e-7 is allowed absolutely.
///   - function: the function of the inputs, in Double.
/// - Throws: ``GradientMismatch`` for the first difference that is too large.
public func requireGradients(
  of inputs: [Grid], names: [String] = [], equal gradients: [[Float]], coordinates: Int = 8,
  tolerance: Double = 1e-4, _ function: ([Grid]) throws -> Double
) throws {
  var generator = SeededGenerator(seed: 99)
  for (number, input) in inputs.enumerated() {
    let gradient = gradients[number].map(Double.init)
    let name = names.isEmpty ? "input \(number)" : names[number]
    guard gradient.count == input.values.count, gradient.allSatisfy(\.isFinite) else {
      throw GradientMismatch(description: "\(name): a gradient of another size, or not finite")
    }
    for direction in directions(gradient.count, coordinates: coordinates, using: &generator) {
      let expected = try slope(inputs, number, direction, function)
      let found = zip(gradient, direction.values).reduce(0.0) { $0 + $1.0 * $1.1 }
      let peak = gradient.reduce(abs(expected)) { max($0, abs($1)) }
      let length = gradient.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      let scale = direction.isCoordinate ? peak : max(length, abs(expected))
      guard abs(found - expected) <= tolerance * scale + 1e-7 else {
        throw GradientMismatch(
          description: "\(name), \(direction.name): found \(found), expected \(expected)")
      }
    }
  }
}

private struct Direction {
  let name: String
  let values: [Double]
  let isCoordinate: Bool
}

private func directions(
  _ count: Int, coordinates: Int, using generator: inout SeededGenerator
) -> [Direction] {
  var places = [0, count - 1]
  if count <= coordinates {
    places = Array(0..<count)
  } else {
    while places.count < coordinates { places.append(Int.random(in: 0..<count, using: &generator)) }
  }
  let single = places.map { place in
    Direction(
      name: "coordinate \(place)", values: (0..<count).map { $0 == place ? 1 : 0 },
      isCoordinate: true)
  }
  let mixed = (0..<2).map { number in
    Direction(
      name: "direction \(number)",
      values: (0..<count).map { _ in Double.random(in: -1..<1, using: &generator) },
      isCoordinate: false)
  }
  return single + mixed
}

private func slope(
  _ inputs: [Grid], _ number: Int, _ direction: Direction, _ function: ([Grid]) throws -> Double
) rethrows -> Double {
  func value(_ step: Double) throws -> Double {
    var moved = inputs
    for (place, component) in direction.values.enumerated() where component != 0 {
      moved[number].values[place] += step * component
    }
    return try function(moved)
  }
  return try (value(1e-5) - value(-1e-5)) / 2e-5
}
