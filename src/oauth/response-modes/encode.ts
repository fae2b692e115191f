/** Percent-encoding of response parameters: clients split on `&` and `=` and decode (authentication-api 8.2), so a space is `%20`. */

/** `a=1&b=2`, each part encoded. */
export function encodeParameters(parameters: Readonly<Record<string, string | number>>): string {
  let encoded = ''
  for (const name of Object.keys(parameters)) {
    const value = encodeURIComponent(String(parameters[name]))
    encoded += `${encoded === '' ? '' : '&'}${encodeURIComponent(name)}=${value}`
  }
  return encoded
}
