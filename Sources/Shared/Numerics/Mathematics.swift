internal import Glibc

/// e^x in Double.
package func exponential(_ x: Double) -> Double { exp(x) }

/// log(1 + e^x), accurate for x ≤ 0.
package func logOnePlusExp(_ x: Double) -> Double { log1p(exp(x)) }

/// The natural logarithm.
package func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// The cosine of an angle in radians.
package func cosine(_ x: Double) -> Double { cos(x) }

/// The sine of an angle in radians.
package func sine(_ x: Double) -> Double { sin(x) }

/// `base^exponent` in Double.
package func raised(_ base: Double, to exponent: Double) -> Double { pow(base, exponent) }
