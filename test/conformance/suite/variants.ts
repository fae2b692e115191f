/** What a module is run with: the suite's variants, by its own words. */

/** A response type as the suite writes it. */
export type ResponseType =
  | 'code'
  | 'id_token'
  | 'id_token token'
  | 'code id_token'
  | 'code token'
  | 'code id_token token'

/** The variants that a plan sets for a list of modules. */
export interface Variant {
  readonly responseType: ResponseType
  readonly responseMode: 'default' | 'form_post'
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
  readonly registration: 'static_client' | 'dynamic_client'
}

/** A client that an administrator has made, by its secret, as most plans are run. */
export function staticClient(responseType: ResponseType, more: Partial<Variant> = {}): Variant {
  return {
    responseType,
    responseMode: 'default',
    clientAuth: 'client_secret_basic',
    registration: 'static_client',
    ...more,
  }
}

/** A client that has registered itself. */
export function dynamicClient(responseType: ResponseType, more: Partial<Variant> = {}): Variant {
  return staticClient(responseType, { registration: 'dynamic_client', ...more })
}

/** Whether a part of the answer comes from the authorization endpoint. */
export function includes({ responseType }: Variant, part: 'code' | 'token' | 'id_token'): boolean {
  return responseType.split(' ').includes(part)
}

/** How a variant is named beside its module. */
export function variantName({ responseType, responseMode, clientAuth, registration }: Variant): string {
  return [responseType, responseMode, clientAuth, registration].filter((each) => each !== 'default').join(', ')
}
