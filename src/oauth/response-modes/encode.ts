/** Percent-encoding of response parameters: clients split on `&` and `=` and decode (authentication-api 8.2), so a space is `%20`. */

/** `a=1&b=2`, each part encoded. */
export function encodeParameters(parameters: Readonly<Record<string, string | number>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&')
}
