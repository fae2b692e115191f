/** What a device does, and what its user does in a browser, for tests of the device authorization grant. */
import assert from 'node:assert/strict'
import type { Browser } from '../harness/sign-on.ts'
import { type Answer, basic, type Stile } from '../harness/stile.ts'
import { submitSignOnPage } from './journeys.ts'
import { expectStatus, type Person, type Registered, web } from './registrations.ts'

/** A public client without an address: `tv` asks for devices and nothing else. */
export const tv = {
  ...web,
  type: 'NATIVE_APP',
  grantTypes: ['DEVICE_CODE'],
  responseTypes: [],
  redirectUris: [],
  tokenEndpointAuthMethod: 'NONE',
  pkceEnforcement: 'S256_REQUIRED',
}

/** The answer of the device authorization endpoint. */
export interface Device {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/** A device asks for its codes. */
export async function newDevice(
  stile: Stile,
  client: Registered,
  more: Readonly<Record<string, string>> = {},
): Promise<Device> {
  return expectStatus(await askForCodes(stile, client, more), 200) as Device
}

/** The request of a device. */
export function askForCodes(
  stile: Stile,
  { clientId, clientSecret }: Registered,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/device_authorization`, {
    body: new URLSearchParams({ scope: 'openid profile', ...(clientSecret ? {} : { client_id: clientId }), ...more }),
    ...(clientSecret ? { headers: { authorization: basic(clientId, clientSecret) } } : {}),
  })
}

/** A device polls. */
export function poll(
  stile: Stile,
  { clientId, clientSecret }: Registered,
  deviceCode: string,
  more: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: deviceCode,
      ...(clientSecret ? {} : { client_id: clientId }),
      ...more,
    }),
    headers: { ...(clientSecret ? { authorization: basic(clientId, clientSecret) } : {}), ...headers },
  })
}

/** The headers of a form that a page of this server posts. */
export function own({ stile }: Browser): Readonly<Record<string, string>> {
  return { origin: stile.authUrl, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
}

/** The sign-on page of a flow. */
export function pageOf({ stile }: Browser, flowId: string): string {
  return `/${stile.environmentId}/signon/?flowId=${flowId}`
}

/** Goes to an address that a device shows, and returns the flow that begins. */
export async function visit(browser: Browser, address: string): Promise<string> {
  const { pathname, search } = new URL(address, browser.stile.authUrl)
  const answer = await browser.send(pathname + search)
  assert.equal(answer.status, 302, answer.text)
  const location = new URL(answer.headers.get('location') ?? '')
  assert.equal(location.pathname, `/${browser.stile.environmentId}/signon/`)
  const flowId = location.searchParams.get('flowId')
  assert.ok(flowId)
  return flowId
}

/** Posts a form of the sign-on page. */
export function press(browser: Browser, flowId: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
  return browser.send(pageOf(browser, flowId), { body: new URLSearchParams(fields), headers: own(browser) })
}

/** Enters a code. */
export function enter(browser: Browser, flowId: string, userCode: string): Promise<Answer> {
  return press(browser, flowId, { action: 'deviceAuthGrant.userCode.verify', userCode })
}

/** Allows, or does not. */
export function answer(browser: Browser, flowId: string, accept: boolean): Promise<Answer> {
  return press(browser, flowId, { action: 'deviceAuthGrant.consent', accept: String(accept) })
}

/** Signs on at the address of a device and enters its code, up to the question. */
export async function comeToTheQuestion(browser: Browser, device: Device, who?: Person): Promise<string> {
  const flowId = await visit(browser, device.verification_uri)
  if (who) assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
  assert.equal((await enter(browser, flowId, device.user_code)).status, 303)
  return flowId
}

/** Answers the question, and goes where the page goes on to by itself. */
export async function decide(browser: Browser, flowId: string, accept: boolean): Promise<Answer> {
  assert.equal((await answer(browser, flowId, accept)).status, 303)
  const shown = await browser.send(pageOf(browser, flowId))
  assert.match(shown.text, new RegExp(`http-equiv="refresh" content="0;url=[^"]*/as/resume\\?flowId=${flowId}"`))
  return browser.resume(flowId)
}

/** Approves a device from beginning to end. */
export async function approve(browser: Browser, device: Device, who?: Person): Promise<void> {
  const end = await decide(browser, await comeToTheQuestion(browser, device, who), true)
  assert.equal(end.status, 200, end.text)
  assert.match(end.text, /You can close this page/)
}
