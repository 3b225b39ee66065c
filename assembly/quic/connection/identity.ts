/**
 * What all endpoints of an instance share to know their own: the table of routes, the generator of connection IDs, and the key of
 * stateless reset tokens. Derived from the instance's entropy, unless the host names a secret that several processes share.
 */
import { Limit } from "../../abi/limit.ts";
import { limitU32 } from "../../session/limits.ts";
import { routeBuckets } from "../../session/regions.ts";
import { ID_GENERATOR_BYTES, IdGenerator, idGeneratorOpen } from "../ids/id_generator.ts";
import { RouteTable, routeTableOpen } from "../ids/route_table.ts";
import {
  ADDRESS_TOKEN_KEYS_BYTES,
  AddressTokenKeys,
  addressTokenKeysOpen,
  addressTokenKeysRotate,
} from "../token/address_token.ts";
import { EndpointKey, endpointKey } from "../token/endpoint_secret.ts";
import { TokenFilter, tokenFilterOpen } from "../token/token_filter.ts";

const KEY_BYTES: u32 = 32;
/** Four that were given to the peer, and the one that a client made up. */
const ROUTES_PER_CONNECTION: u32 = 5;
const MEMORY_PER_ROUTE: u32 = 1024;

export const routes = changetype<RouteTable>(memory.data(offsetof<RouteTable>(), 8));
export const idGenerator = changetype<IdGenerator>(memory.data(ID_GENERATOR_BYTES, 16));
/** The key of stateless reset tokens, KEY_BYTES. */
export const resetKey: usize = memory.data(KEY_BYTES, 16);
/** Keys of the tokens that validate addresses, and those tokens of NEW_TOKEN that were used. */
export const addressTokenKeys = changetype<AddressTokenKeys>(memory.data(ADDRESS_TOKEN_KEYS_BYTES, 16));
export const tokenFilter = changetype<TokenFilter>(memory.data(offsetof<TokenFilter>(), 8));
const FILTER_BYTES: u32 = 32768;
const filterRegion: usize = memory.data(FILTER_BYTES, 16);
const routingKey: usize = memory.data(KEY_BYTES, 16);

/** IDs that the table of routes has room for: those of every connection, and the ones that clients made up. */
export function routeCount(): u32 {
  const most = min(
    limitU32(Limit.QUIC_ROUTE_COUNT),
    ROUTES_PER_CONNECTION * limitU32(Limit.CONNECTION_COUNT),
  );
  // A small instance has few connections, whatever the limits say: a sixteenth of its memory at most is for the table.
  return min(most, <u32>(((<u64>memory.size()) << 16) / MEMORY_PER_ROUTE));
}

let isOpen: bool = false;

/** Nothing is open yet: the table is laid with the first endpoint, so that an instance without QUIC does not pay for it. */
export function identityInitialize(): void {
  isOpen = false;
  addressTokenKeysOpen(addressTokenKeys);
}

/** Lays the empty tables of routes and of used tokens, once. */
export function identityOpen(): void {
  if (isOpen) return;
  isOpen = true;
  routeTableOpen(routes, routeBuckets(), routeCount());
  tokenFilterOpen(tokenFilter, filterRegion, FILTER_BYTES);
}

/** Derives all keys from `secret`, ENDPOINT_SECRET_BYTES; `process` tells this process from others with the same secret. */
export function identityDerive(secret: usize, process: u32): void {
  endpointKey(secret, EndpointKey.ROUTING, routingKey);
  endpointKey(secret, EndpointKey.RESET, resetKey);
  addressTokenKeysRotate(addressTokenKeys, secret);
  idGeneratorOpen(idGenerator, routingKey, process);
}
