/** What is known of the network an address belongs to: authentication-api 5.5. Absent is what nobody knows. */

export interface NetworkFacts {
  /** Whether it hides who is behind it: a VPN service, an open proxy, Tor. */
  readonly isAnonymous?: boolean
  /** How likely an address of it is up to no good, 0 to 100. */
  readonly riskScore?: number
  readonly location?: Location
}

/** A place on earth, degrees. */
export interface Location {
  readonly latitude: number
  readonly longitude: number
}

const earthRadiusKilometres = 6371

/** The distance between two places along the surface, kilometres (the haversine formula). */
export function distance(one: Location, other: Location): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180
  const half = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2
  const chord =
    half(one.latitude, other.latitude) +
    Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * half(one.longitude, other.longitude)
  return 2 * earthRadiusKilometres * Math.asin(Math.min(1, Math.sqrt(chord)))
}
