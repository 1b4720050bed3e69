// swift-tools-version: 6.2

import Foundation
import PackageDescription

// MARK: - Settings

/// Every target: Swift 6 mode, explicit imports, no warnings.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// The targets that may touch raw memory; whatever is unsafe there is marked `unsafe`.
let strictUnsafe = strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

// MARK: - Dependencies

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

// MARK: - Targets

/// A module map around a C library of the distribution.
func library(_ name: String, pkgConfig: String? = nil, apt package: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/Shared/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// A module that stages share.
func shared(
  _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = strict
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/Shared/\(name)", swiftSettings: settings)
}

/// A stage of the pipeline; stages never depend on one another.
func stage(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .executableTarget(
    name: name,
    dependencies: ["CommandSupport", "Dataset", "ShardIO", argumentParser, system] + dependencies,
    swiftSettings: strict)
}

/// The tests of a module; their own code is never optimised, which takes less time to compile than it saves in a run.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: ["TestSupport", system] + dependencies,
    path: "Tests/\(name)Tests",
    swiftSettings: strict + [.unsafeFlags(["-Xfrontend", "-Onone"])])
}

// MARK: - Kernels of one processor

let environment = ProcessInfo.processInfo.environment

/// The C kernels for one kind of processor alone, "x86-64-v3" for instance, in place of all; for tests (`make test-portable`).
let oneKernelSet: [CSetting] =
  environment["H2REC_KERNELS"].map {
    [.define("H2REC_ONE_TARGET"), .unsafeFlags(["-march=\($0)"])]
  } ?? []

let package = Package(
  name: "h2rec",
  products: [
    .executable(name: "h2rec-preprocess", targets: ["Preprocess"]),
    .executable(name: "h2rec-tokenize", targets: ["Tokenize"]),
    .executable(name: "h2rec-train", targets: ["Train"]),
    .executable(name: "h2rec-evaluate", targets: ["Evaluate"]),
    .library(name: "CrashShim", type: .dynamic, targets: ["CrashShim"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    library("CDNNL", apt: "libdnnl-dev"),
    library("CLapacke", pkgConfig: "lapacke", apt: "liblapacke-dev"),
    library("CXXHash", pkgConfig: "libxxhash", apt: "libxxhash-dev"),
    library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    library("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    // The loops keep their speed in debug builds: tests train real models.
    .target(
      name: "CKernels", path: "Sources/Shared/CKernels",
      cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))] + oneKernelSet),
    .target(name: "CMemory", path: "Sources/Shared/CMemory"),
    .target(name: "CThreading", path: "Sources/Shared/CThreading"),
    shared("Threading", ["CThreading"], settings: strictUnsafe),
    shared("ShardIO", ["CXXHash", "CZstd", "Threading", system], settings: strictUnsafe),
    shared("Dataset", ["ShardIO", system]),
    shared("TextInput", ["CKernels", "CZlib", "CZstd", "ShardIO", system], settings: strictUnsafe),
    shared("TextOutput", ["CZlib", "CZstd", "Page", "ShardIO"], settings: strictUnsafe),
    shared("Page"),
    shared("Numerics", ["CDNNL", "CKernels", "Threading"], settings: strictUnsafe),
    shared("Clustering", ["CKernels", "CLapacke", "Numerics"], settings: strictUnsafe),
    shared("Tape", ["CKernels", "Numerics"], settings: strictUnsafe),
    shared("Layers", ["CKernels", "Numerics", "Tape"], settings: strictUnsafe),
    shared("Losses", ["CKernels", "Layers", "Numerics", "Tape"], settings: strictUnsafe),
    shared("Retrieval", ["CKernels", "Numerics", "ShardIO"], settings: strictUnsafe),
    shared("Metrics", ["Numerics"]),
    shared(
      "Quantizers", ["CKernels", "Clustering", "Numerics", "ShardIO", "Tape", "Training"],
      settings: strictUnsafe),
    shared("CommandSupport", ["CMemory", "ShardIO", "Threading", argumentParser, system]),
    shared(
      "Training",
      ["CommandSupport", "Dataset", "Numerics", "ShardIO", "Tape", argumentParser, system]),
    shared(
      "Models",
      [
        "Clustering", "CommandSupport", "Dataset", "Layers", "Losses", "Metrics", "Numerics",
        "Retrieval", "ShardIO", "Tape", "Training", argumentParser,
      ]),

    shared("Nights", ["Page", "ShardIO", system]),

    stage(
      "Preprocess",
      ["Clustering", "Nights", "Numerics", "TextInput", "TextOutput", "Threading"]),
    stage(
      "Tokenize",
      [
        "Clustering", "Numerics", "Page", "Quantizers", "Tape", "TextInput", "TextOutput",
        "Training",
      ]),
    stage("Train", ["Models", "Numerics", "Retrieval", "Tape", "Training"]),
    stage(
      "Evaluate",
      [
        "Clustering", "Metrics", "Models", "Numerics", "Page", "Retrieval", "TextInput",
        "TextOutput",
      ]),

    .target(name: "CrashShim", path: "Tests/CrashShim"),
    .target(
      name: "TestSupport",
      dependencies: [
        "Dataset", "Layers", "Models", "Numerics", "Retrieval", "ShardIO", "Tape", "Training",
        argumentParser, subprocess, system,
      ], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("CommandLine", ["Nights", "ShardIO", subprocess]),
    tests(
      "Model",
      [
        "CommandSupport", "Dataset", "Layers", "Losses", "Models", "Numerics", "Retrieval",
        "ShardIO", "Tape",
        "Training", argumentParser,
      ]),
    tests(
      "Kernels",
      ["Clustering", "Layers", "Losses", "Numerics", "Quantizers", "ShardIO", "Tape", "Training"]),
    tests("Ranking", ["CKernels", "Metrics", "Numerics", "Retrieval", "ShardIO"]),
    tests("ShardIO", ["ShardIO", subprocess]),
    tests("TextOutput", ["ShardIO", "TextOutput"]),
    tests("Page", ["Page"]),
    tests(
      "Evaluate",
      [
        "Dataset", "Evaluate", "Metrics", "Models", "Numerics", "Page", "Retrieval", "ShardIO",
        "TextInput", "TextOutput",
        argumentParser, subprocess,
      ]),
    tests("Dataset", ["Dataset", "ShardIO"]),
    tests(
      "Preprocess",
      [
        "Dataset", "Clustering", "Numerics", "Preprocess", "ShardIO", "TextInput", argumentParser,
        subprocess,
      ]),
    tests(
      "Tokenize",
      [
        "Clustering", "Dataset", "Numerics", "Quantizers", "ShardIO", "Tape", "TextOutput",
        "Tokenize", "Training",
      ]),
    tests(
      "Train",
      [
        "CommandSupport", "Dataset", "Losses", "Metrics", "Models", "Numerics", "Retrieval",
        "ShardIO",
        "Tape", "Train", "Training", argumentParser,
      ]),

    tests("TextInput", ["ShardIO", "TextInput"]),
    tests("Threading", ["Threading"]),
    tests("Nights", ["Nights", "ShardIO"]),
  ]
)

// MARK: - For developers only; never part of a normal build

if environment["H2REC_DOCS"] == "1" {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

if environment["H2REC_BENCHMARKS"] == "1" {
  package.products += [
    .executable(name: "shard-benchmark", targets: ["ShardBenchmark"]),
    .executable(name: "ranking-benchmark", targets: ["RankingBenchmark"]),
    .executable(name: "product-benchmark", targets: ["ProductBenchmark"]),
    .executable(name: "training-benchmark", targets: ["TrainingBenchmark"]),
    .executable(name: "autoencoder-benchmark", targets: ["AutoencoderBenchmark"]),
  ]
  package.targets.append(
    .executableTarget(
      name: "ShardBenchmark", dependencies: ["ShardIO", system], path: "Benchmarks/ShardBenchmark",
      swiftSettings: strict))
  package.targets.append(
    .target(name: "MultiplyAddRate", path: "Benchmarks/MultiplyAddRate"))
  package.targets.append(
    .executableTarget(
      name: "ProductBenchmark", dependencies: ["Numerics", "MultiplyAddRate", argumentParser],
      path: "Benchmarks/ProductBenchmark", swiftSettings: strict))
  package.targets.append(
    .executableTarget(
      name: "RankingBenchmark",
      dependencies: ["Metrics", "Numerics", "Retrieval", "ShardIO", argumentParser],
      path: "Benchmarks/RankingBenchmark", swiftSettings: strict))
  package.targets.append(
    .executableTarget(
      name: "TrainingBenchmark",
      dependencies: [
        "Dataset", "Models", "Numerics", "ShardIO", "Tape", "Training", argumentParser, system,
      ],
      path: "Benchmarks/TrainingBenchmark", swiftSettings: strict))
  package.targets.append(
    .executableTarget(
      name: "AutoencoderBenchmark",
      dependencies: ["Clustering", "Numerics", "Quantizers", "Tape", argumentParser],
      path: "Benchmarks/AutoencoderBenchmark", swiftSettings: strict))
}

if environment["H2REC_FUZZ"] == "1" {
  // libFuzzer must instrument the code under test, and gold cannot link the result.
  let instrumented = ["-sanitize=fuzzer,address"]
  // The readers of a stage are imported as a library, without the program's main.
  for (stage, main) in [
    ("Preprocess", "PreprocessCommand.swift"), ("Tokenize", "TokenizeCommand.swift"),
  ] {
    package.products.removeAll { $0.name == "h2rec-\(stage.lowercased())" }
    package.targets = package.targets.map { target in
      guard target.name == stage else { return target }
      return .target(
        name: stage, dependencies: target.dependencies, path: "Sources/\(stage)", exclude: [main],
        swiftSettings: target.swiftSettings)
    }
  }
  for target in package.targets
  where ["Preprocess", "ShardIO", "TextInput", "Tokenize"].contains(target.name) {
    target.swiftSettings?.append(.unsafeFlags(instrumented))
  }
  func fuzzer(_ name: String, product: String, _ dependencies: [Target.Dependency]) {
    package.products.append(.executable(name: product, targets: [name]))
    package.targets.append(
      .executableTarget(
        name: name, dependencies: ["FuzzDriver"] + dependencies, path: "Fuzz/\(name)",
        swiftSettings: strict + [.unsafeFlags(instrumented + ["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(instrumented + ["-use-ld=lld"])]))
  }
  package.targets.append(
    .target(name: "FuzzDriver", path: "Fuzz/FuzzDriver", swiftSettings: strict))
  fuzzer("ShardReaderFuzzer", product: "fuzz-shard-reader", ["ShardIO"])
  fuzzer(
    "ReaderFuzzer", product: "fuzz-readers",
    ["Dataset", "Preprocess", "ShardIO", "TextInput", "Tokenize"])
}

if environment["H2REC_UNDEFINED"] == "1" {
  // A trap instead of a message: the runtime for messages is not part of a Swift link.
  for target in package.targets where target.name == "CKernels" {
    target.cSettings?.append(.unsafeFlags(["-fsanitize=undefined", "-fsanitize-trap=undefined"]))
  }
}
