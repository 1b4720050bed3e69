internal import Glibc

/// e^x in Double.
package func exponential(_ x: Double) -> Double { exp(x) }

/// log(1 + e^x), accurate for x ≤ 0.
func logOnePlusExp(_ x: Double) -> Double { log1p(exp(x)) }

/// The natural logarithm.
func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// The cosine of an angle in radians.
func cosine(_ x: Double) -> Double { cos(x) }

/// `base^exponent` in Double.
func raised(_ base: Double, to exponent: Double) -> Double { pow(base, exponent) }
