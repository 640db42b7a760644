import { deny } from '../vocabulary/decision.ts';
import { type RateSettings, rateStage } from './handshake-rate.ts';
import type { HostPolicy } from './host.ts';
import { type RequestBounds, requestStage } from './request-check.ts';
import type { Stage } from './stage.ts';
import { transportStage } from './transport.ts';

export interface OuterDoorSettings {
  readonly bounds: RequestBounds;
  readonly plaintextAllowed: boolean;
  readonly hosts: HostPolicy;
  readonly rate: RateSettings;
}

/** One per server. It runs before the application, and no route can override it. */
export function outerDoor(settings: OuterDoorSettings): readonly Stage[] {
  return [
    requestStage(settings.bounds),
    transportStage(settings.plaintextAllowed),
    hostStage(settings.hosts),
    addressStage(),
    rateStage(settings.rate),
  ];
}

function hostStage(hosts: HostPolicy): Stage {
  return {
    name: 'host',
    check: ({ host }) =>
      host === undefined ? deny('host_denied', 'the Host header cannot be read') : hosts(host),
  };
}

/** An address that cannot be parsed cannot be counted or banned, so it is refused (ASVS 5.0, 4.1.3). */
function addressStage(): Stage {
  return {
    name: 'address',
    check: ({ client }) =>
      client === undefined
        ? deny('request_malformed', 'the forwarded client address cannot be read')
        : undefined,
  };
}
