/**
 * The lists that a stream stands on: those that owe a control frame, and those that have something to tell.
 *
 * Links lie in the stream itself, so that standing on a list takes no memory, and leaving it no search. A list keeps the order
 * in which streams came. Whether a stream stands on a list is the owner's flag.
 */

/** In a stream, one for each list. */
@unmanaged
export class StreamLink {
  next: usize;
  previous: usize;
}

/** All bytes zero = empty. */
@unmanaged
export class StreamList {
  head: usize;
  tail: usize;
}

/** Puts the stream at `ptr`, whose link for this list lies `linkOffset` bytes into it, at the end. */
export function streamListAdd(list: StreamList, ptr: usize, linkOffset: usize): void {
  const link = changetype<StreamLink>(ptr + linkOffset);
  const tail = list.tail;
  link.next = 0;
  link.previous = tail;
  if (tail != 0) changetype<StreamLink>(tail + linkOffset).next = ptr;
  else list.head = ptr;
  list.tail = ptr;
}

/** Takes a stream off a list that it stands on. */
export function streamListRemove(list: StreamList, ptr: usize, linkOffset: usize): void {
  const link = changetype<StreamLink>(ptr + linkOffset);
  if (link.next != 0) changetype<StreamLink>(link.next + linkOffset).previous = link.previous;
  else list.tail = link.previous;
  if (link.previous != 0) changetype<StreamLink>(link.previous + linkOffset).next = link.next;
  else list.head = link.next;
}
