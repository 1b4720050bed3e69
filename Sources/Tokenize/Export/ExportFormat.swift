internal import ArgumentParser

/// Formats in which codes and codebooks are written for other programs.
enum ExportFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// `codes.npy`, `center.npy`, `codebook_1.npy`, `codebook_2.npy`, …, and `network.encoder.1.weight.npy` and so on where
  /// latent vectors decide.
  case npy
  /// `codes.safetensors` with the same arrays by name.
  case safetensors
}
