/**
 * A value JSON can hold. The machine keeps such values for others (the authorization request, what an action remembers)
 * and writes them out with the state.
 *
 * Never: a value that changes on its way through `JSON.stringify` and back.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json }
