/** PURE: from which of an account's numbers a message goes. platform-api 3.18 (`numbers`). */
import type { PhoneNumber } from './phone-settings.ts'

/**
 * The number to send from: one that can do it and serves the country, a chosen one before others.
 * @param country ISO 3166 alpha-2 of whom it is for; undefined when the number does not say
 * @returns undefined where none fits
 */
export function senderFor(
  numbers: readonly PhoneNumber[],
  capability: 'SMS' | 'VOICE',
  country: string | undefined,
): string | undefined {
  const fitting = numbers.filter(
    ({ available, capabilities, supportedCountries }) =>
      available !== false &&
      (capabilities?.includes(capability) ?? true) &&
      (supportedCountries === undefined ||
        supportedCountries.length === 0 ||
        (country !== undefined && supportedCountries.includes(country))),
  )
  return (fitting.find(({ selected }) => selected === true) ?? fitting.find(({ selected }) => selected === undefined))
    ?.number
}
