// Work in parallel is part of what kernels are written in: who imports Kernels has it too.
@_exported public import Threading
