/** The country of a phone number (ISO 3166 alpha-2), by the numbering plans of the world; loaded on first use. */

/** @returns undefined when the number is none, or belongs to no single country */
export async function countryOf(number: string): Promise<string | undefined> {
  const { parsePhoneNumberFromString } = await import('libphonenumber-js/max')
  return parsePhoneNumberFromString(number)?.country
}
