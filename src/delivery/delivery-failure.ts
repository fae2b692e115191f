/**
 * Why a message did not go out, in one word that may stand in an event or a log.
 *
 * Never: a text of the provider, which may quote the message or the address.
 */

/** What ends a message, or makes it wait. */
export type DeliveryFailureReason =
  /** Nobody needs it any more. */
  | 'too-late'
  /** The server will never take it. */
  | 'refused'
  /** The app is not there any more, or is sent nothing. */
  | 'not-registered'
  /** Neither the environment nor the server has one for this delivery method. */
  | 'no-provider'
  /** The template says nothing by this delivery method. */
  | 'no-content'
  /** There is no number or name to send it from. */
  | 'no-sender'
  /** The policy does not allow it. */
  | 'country-not-allowed'
  | 'quota-reached'
  | 'cooldown'
  /** The address of the provider is not one the server may connect to. */
  | 'provider-not-reachable'
  /** What was promised cannot be read. */
  | 'unreadable'

/** A message that cannot be delivered, however often it is tried. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
  readonly reason: DeliveryFailureReason
  /** @param status what the server answered, a number */
  constructor(reason: DeliveryFailureReason, status?: number) {
    super(status === undefined ? reason : `${reason}: the server answered ${status}`)
    this.reason = reason
  }
}

/** A message that could not be delivered now. */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure'
}
