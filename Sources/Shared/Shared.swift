@_exported import CommandSupport
@_exported import Dataset
@_exported import Kernels
@_exported import Model
@_exported import Ranking
@_exported import ShardIO
