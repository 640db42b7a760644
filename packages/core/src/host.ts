/**
 * What an adapter for a host needs: handshakes, admissions, receivers and refusals. Applications need `@sallyport/core` only.
 *
 * @packageDocumentation
 */
export { type Receiver, receiverOf } from './connection/receiver.ts';
export type { Admission } from './guard/admission.ts';
export { hostGuard, isGuard, requireGuard, shareOuterDoor } from './guard/host-access.ts';
export type { HostGuard, HostLimits } from './guard/host-guard.ts';
export type { HostHandshake } from './guard/host-handshake.ts';
export { frameOf } from './outbound/frame.ts';
export { Denial, deny, isPromise } from './vocabulary/decision.ts';
export { oneOf, refuseUnknown, requireFunction } from './vocabulary/option-checks.ts';
export type { FramedMessage, Socket } from './vocabulary/ports.ts';
export { type Refusal, refusalOf } from './vocabulary/refusal.ts';
export { parseWindow } from './vocabulary/units.ts';
