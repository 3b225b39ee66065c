/**
 * What a handler holds: a request, and the ways to answer it. The same for HTTP/1.1 and HTTP/2.
 *
 * An answer is given at once (`text`, `json`, `bytes`, `empty`) or streamed (`begin`, `write`, `finish`) by a Listener, which is
 * told when the peer has taken enough. Content of requests comes to a Listener too. Whatever an answer at once cannot hand to
 * the engine now, waits here and follows as the peer reads.
 *
 * Strings are made when asked for; pointers are valid during the call they are given to. Methods of an exchange that is over
 * do nothing and answer nothing.
 */
import { FieldName, FIELD_NAMES } from "../abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../abi/layout.ts";
import {
  FieldLane,
  MessageFlag,
  MessageLane,
  Method,
  METHOD_NAMES,
  SendFlag,
  UNKNOWN_LENGTH,
} from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { readBody, releaseExchange, respond, sendBody, sendHead, sendTrailers } from "../exports/exchange.ts";
import { fieldNameLookup } from "../http/field_name_lookup.ts";
import { COMMAND_BYTES, commandRegion } from "../session/regions.ts";
import { currentTime } from "./start.ts";
import { percentDecoded, textOf, UTF8_BYTES_MAX, writeText } from "./text.ts";

/** Room in a command for the fields of an answer; the rest is for content. */
const FIELDS_BYTES: u32 = 65536;
const CONTENT_BYTES: u32 = COMMAND_BYTES - FIELDS_BYTES;
/** Parameters of one route. */
export const PARAM_COUNT_MAX: u32 = 8;

/** What goes on with an exchange after its handler has returned. A subclass holds what one exchange needs. */
export abstract class Listener {
  /** Content of the request; valid during the call. */
  body(_exchange: Exchange, _ptr: usize, _len: u32): void {}
  /** All of the request's content has arrived. */
  end(_exchange: Exchange): void {}
  /** After a `write` that took less than it was given: more can be written. */
  writable(_exchange: Exchange): void {}
  /** The exchange was cut before it was complete. */
  closed(_exchange: Exchange): void {}
}

export class Exchange {
  /** The engine's exchange; 0 once it is over. */
  handle: u32 = 0;
  /** Parameters of the route that matched: offset and length in the target. */
  readonly params: StaticArray<u32> = new StaticArray<u32>(PARAM_COUNT_MAX * 2);
  paramNames: string[] = [];
  private head: usize = 0;
  private listener: Listener | null = null;
  private fieldNames: string[] = [];
  private fieldValues: string[] = [];
  /** Content of an answer at once that the engine has not taken: a block of the heap. */
  private rest: usize = 0;
  private restAt: u32 = 0;
  private restLen: u32 = 0;

  // The request.

  get method(): string {
    const id = this.lane(MessageLane.KIND) & 0xff;
    return id == Method.OTHER
      ? textOf(this.lane(MessageLane.METHOD_PTR), this.lane(MessageLane.METHOD_LEN))
      : METHOD_NAMES[id];
  }

  /** The request target as it was sent: path and query. */
  get target(): string {
    return textOf(this.targetPtr, this.targetLen);
  }

  get targetPtr(): usize {
    return this.lane(MessageLane.TARGET_PTR);
  }

  get targetLen(): u32 {
    return this.lane(MessageLane.TARGET_LEN);
  }

  /** A parameter of the route by name, percent-decoded; empty when the route has none of that name. */
  param(name: string): string {
    const index = this.paramNames.indexOf(name);
    if (index < 0 || this.handle == 0) return "";
    return percentDecoded(this.targetPtr + this.params[2 * index], this.params[2 * index + 1]);
  }

  /** The first value of a field by its lower-case name; null when there is none. */
  header(name: string): string | null {
    for (let i = 0; i < this.headerCount; i++) if (this.headerName(i) == name) return this.headerValue(i);
    return null;
  }

  /** Field lines of the request, numbered in their order. */
  get headerCount(): i32 {
    return this.lane(MessageLane.FIELD_COUNT);
  }

  headerName(index: i32): string {
    const record = this.record(index);
    const nameLane = load<u32>(record, FieldLane.NAME << 2);
    const id = nameLane & 0xffff;
    if (id != FieldName.NONE) return FIELD_NAMES[id];
    return textOf(
      this.lane(MessageLane.BYTES_PTR) + load<u32>(record, FieldLane.NAME_OFFSET << 2),
      nameLane >> 16,
    );
  }

  headerValue(index: i32): string {
    const record = this.record(index);
    const ptr = this.lane(MessageLane.BYTES_PTR) + load<u32>(record, FieldLane.VALUE_OFFSET << 2);
    return textOf(ptr, load<u32>(record, FieldLane.VALUE_LEN << 2));
  }

  /** Whether content follows the request's head. */
  get hasBody(): bool {
    return ((this.lane(MessageLane.KIND) >> 16) & MessageFlag.HAS_BODY) != 0;
  }

  /** Takes the request's content, and everything else that happens from here on. */
  listen(listener: Listener): void {
    if (this.handle == 0) return;
    this.listener = listener;
    if (this.hasBody) readBody(this.handle, 0, currentTime());
    else listener.end(this);
  }

  // The answer.

  /** Adds a field to the answer. Names are in lower case; those of the framing are the engine's. */
  setHeader(name: string, value: string): void {
    this.fieldNames.push(name);
    this.fieldValues.push(value);
  }

  /** Answers with text, as UTF-8. */
  text(text: string, statusCode: u32 = 200): void {
    this.answerText(statusCode, "text/plain; charset=utf-8", text);
  }

  /** Answers with text that is JSON. */
  json(text: string, statusCode: u32 = 200): void {
    this.answerText(statusCode, "application/json", text);
  }

  /** Answers without content. */
  empty(statusCode: u32 = 204): void {
    if (this.handle == 0) return;
    const fieldsEnd = this.writeFields("");
    const fieldsLen = <u32>(fieldsEnd - commandRegion);
    this.settle(
      respond(this.handle, statusCode, commandRegion, fieldsLen, fieldsEnd, 0, SendFlag.RELEASE),
      0,
      0,
    );
  }

  /** Answers with the `len` bytes at `ptr`, which need not outlive the call. */
  bytes(ptr: usize, len: u32, contentType: string = "application/octet-stream", statusCode: u32 = 200): void {
    if (this.handle == 0) return;
    const fieldsEnd = this.writeFields(contentType);
    const fieldsLen = <u32>(fieldsEnd - commandRegion);
    if (len <= CONTENT_BYTES) {
      memory.copy(fieldsEnd, ptr, len);
      const taken = respond(
        this.handle,
        statusCode,
        commandRegion,
        fieldsLen,
        fieldsEnd,
        len,
        SendFlag.RELEASE,
      );
      this.settle(taken, ptr, len);
    } else {
      const sent = sendHead(this.handle, statusCode, commandRegion, fieldsLen, len, SendFlag.NONE);
      this.settle(sent, ptr, len);
    }
  }

  /** Begins an answer whose content is written bit by bit. `contentLength` may be left out. False when it cannot be. */
  begin(statusCode: u32, contentType: string, contentLength: f64 = UNKNOWN_LENGTH): bool {
    if (this.handle == 0) return false;
    const fieldsLen = <u32>(this.writeFields(contentType) - commandRegion);
    return (
      sendHead(this.handle, statusCode, commandRegion, fieldsLen, contentLength, SendFlag.NONE) == Status.OK
    );
  }

  /** Writes content and answers how much was taken; after less than `len`, `writable` says when to go on. */
  write(ptr: usize, len: u32): u32 {
    if (this.handle == 0) return 0;
    const offered = min(len, COMMAND_BYTES);
    memory.copy(commandRegion, ptr, offered);
    const taken = sendBody(this.handle, commandRegion, offered, SendFlag.NONE);
    if (taken >= 0) return taken;
    this.cut();
    return 0;
  }

  /** Ends an answer that `begin` began; fields that were set since are its trailers. */
  finish(): void {
    if (this.handle == 0) return;
    const fieldsLen = <u32>(this.writeFields("") - commandRegion);
    const ended =
      fieldsLen > 0
        ? sendTrailers(this.handle, commandRegion, fieldsLen)
        : sendBody(this.handle, commandRegion, 0, SendFlag.END);
    if (ended < 0) this.cut();
    else this.release();
  }

  /** Gives the exchange up: what was not sent is missing, and the peer can see that. */
  cut(): void {
    if (this.handle != 0) this.release();
  }

  // What the loop tells.

  /** A request has begun. */
  open(handle: u32, head: usize): void {
    this.over();
    this.handle = handle;
    this.head = head;
  }

  bodyArrived(ptr: usize, len: u32, isEnd: bool): void {
    const listener = this.listener;
    if (listener == null) return;
    if (len > 0) listener.body(this, ptr, len);
    if (this.handle == 0) return;
    if (len > 0) readBody(this.handle, len, currentTime());
    if (isEnd) listener.end(this);
  }

  canWrite(): void {
    if (this.rest != 0) {
      this.sendRest();
      return;
    }
    const listener = this.listener;
    if (listener != null) listener.writable(this);
  }

  aborted(): void {
    const listener = this.listener;
    if (listener != null) listener.closed(this);
    this.cut();
  }

  private answerText(statusCode: u32, contentType: string, text: string): void {
    if (this.handle == 0) return;
    const room = <u32>text.length * UTF8_BYTES_MAX;
    if (room > CONTENT_BYTES) {
      const block = heap.alloc(room);
      this.bytes(block, writeText(text, block), contentType, statusCode);
      heap.free(block);
      return;
    }
    const fieldsEnd = this.writeFields(contentType);
    const fieldsLen = <u32>(fieldsEnd - commandRegion);
    const len = writeText(text, fieldsEnd);
    const taken = respond(
      this.handle,
      statusCode,
      commandRegion,
      fieldsLen,
      fieldsEnd,
      len,
      SendFlag.RELEASE,
    );
    this.settle(taken, fieldsEnd, len);
  }

  /** After a whole answer: done, or the rest follows, or the handler's mistake is answered 500. */
  private settle(taken: i32, ptr: usize, len: u32): void {
    if (taken < 0) {
      this.refuse();
    } else if (<u32>taken == len) {
      // The engine frees it by itself.
      this.over();
    } else {
      this.restLen = len - taken;
      this.rest = heap.alloc(this.restLen);
      this.restAt = 0;
      memory.copy(this.rest, ptr + taken, this.restLen);
      this.sendRest();
    }
  }

  private sendRest(): void {
    while (this.handle != 0) {
      const len = min(this.restLen - this.restAt, COMMAND_BYTES);
      memory.copy(commandRegion, this.rest + this.restAt, len);
      const isLast = this.restAt + len == this.restLen;
      const flags = isLast ? SendFlag.END | SendFlag.RELEASE : SendFlag.NONE;
      const taken = sendBody(this.handle, commandRegion, len, flags);
      if (taken < 0) return this.cut();
      this.restAt += taken;
      if (<u32>taken < len) return;
      if (isLast) this.over();
    }
  }

  /** What the handler set cannot be sent. */
  private refuse(): void {
    const sent = respond(this.handle, 500, commandRegion, 0, commandRegion, 0, SendFlag.RELEASE);
    if (sent < 0) this.cut();
    else this.over();
  }

  private release(): void {
    releaseExchange(this.handle);
    this.over();
  }

  private over(): void {
    this.handle = 0;
    this.head = 0;
    this.listener = null;
    if (this.fieldNames.length > 0) this.clearFields();
    if (this.rest != 0) heap.free(this.rest);
    this.rest = 0;
  }

  private clearFields(): void {
    this.fieldNames = [];
    this.fieldValues = [];
  }

  /** Writes the fields at the start of the command region and answers their end. What does not fit is left out. */
  private writeFields(contentType: string): usize {
    let at = commandRegion;
    if (contentType.length > 0) at = writeField(at, "content-type", contentType);
    for (let i = 0; i < this.fieldNames.length; i++)
      at = writeField(at, this.fieldNames[i], this.fieldValues[i]);
    if (this.fieldNames.length > 0) this.clearFields();
    return at;
  }

  private record(index: i32): usize {
    return this.lane(MessageLane.FIELDS_PTR) + index * (FieldLane.COUNT << 2);
  }

  private lane(index: MessageLane): u32 {
    return this.head == 0 ? 0 : load<u32>(this.head + (index << 2));
  }
}

/** Writes one entry of a field block (abi/layout.ts) and answers its end; nothing where it would leave the fields' room. */
function writeField(at: usize, name: string, value: string): usize {
  const most = <u32>(name.length + value.length) * UTF8_BYTES_MAX + FIELD_ENTRY_HEADER_BYTES;
  if (<u32>(at - commandRegion) + most > FIELDS_BYTES) return at;
  const namePtr = at + FIELD_ENTRY_HEADER_BYTES;
  const nameLen = writeText(name, namePtr);
  const id = fieldNameLookup(namePtr, nameLen);
  const valuePtr = id == FieldName.NONE ? namePtr + nameLen : namePtr;
  const valueLen = writeText(value, valuePtr);
  store<u16>(at, id);
  store<u16>(at, id == FieldName.NONE ? nameLen : 0, 2);
  store<u32>(at, valueLen, 4);
  return valuePtr + valueLen;
}
