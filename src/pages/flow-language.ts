/** The language of the page of a flow: what its request asked for, then what the browser reads. */
import type { Context } from '../contract/operation.ts'
import type { FlowState } from '../flow/state.ts'
import { chooseLanguage, type Language } from './texts/language.ts'

/** The language. @param state undefined where there is no flow */
export function languageOf({ headers }: Pick<Context, 'headers'>, state: FlowState | undefined): Language {
  const wanted = state?.request.parameters['uiLocales']
  return chooseLanguage(typeof wanted === 'string' ? wanted : null, headers['accept-language'])
}
