/// What libFuzzer calls with each input; returns 0.
public typealias FuzzBody = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argumentCount: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: FuzzBody
) -> CInt

/// Hands control to libFuzzer.
///
/// SwiftPM links `main` to `<Target>_main`, which each fuzzer defines and which calls this.
public func runFuzzer(
  _ argumentCount: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
  _ body: FuzzBody
) -> CInt {
  var argumentCount = argumentCount
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
  return runDriver(&argumentCount, &arguments, body)
}
