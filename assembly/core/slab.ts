/**
 * The engine's only general allocator: blocks of fixed size classes cut from 64 KiB pages.
 *
 * Everything that lives as long as a connection or an exchange is a block of this slab. The region is told once, at start,
 * and never grows: when it is full, `slabAllocate` answers 0 and the caller refuses work; nothing traps.
 *
 * Classes run 64, 96, 128, 192, 256, … : each power of two and its half step, so at most a third of a block is lost to
 * rounding. From 32 KiB up a block fills half a page or a whole one.
 *
 * Costs: allocate and free are O(1) and touch one page record and one block. A page is bumped lazily: its blocks are
 * threaded on a free list only once they have been freed, so memory never used is never touched.
 *
 * Invariant: a page is in exactly one place: never used (at or above `freshPage`), in the pool of returned pages, the cached
 * empty page of its class, on its class's list of partial pages, or full and on no list.
 *
 * It does not zero blocks, does not know owners, and does not detect a wrong free in release builds (asserts do in debug).
 */

/** Bytes of one page, and so the largest block. */
export const SLAB_MAX: u32 = 65536;

const PAGE_BITS: u32 = 16;
const PAGE_SIZE: u32 = 1 << PAGE_BITS;
const PAGE_MASK: u32 = PAGE_SIZE - 1;

/** The smallest class is 1 << SMALLEST_BITS bytes; it holds the free-list link and keeps 16-byte alignment. */
const SMALLEST_BITS: u32 = 6;
/** 64 … 32768 in half steps, then one class for everything that needs a page of its own. */
const CLASS_COUNT: u32 = 20;
const WHOLE_PAGE_CLASS: u32 = CLASS_COUNT - 1;

const ALIGNMENT_MASK: usize = 15;

/**
 * One page's record in the side table.
 *
 *   0      4      8          12      16          20          22            24           28         32
 *   ┌──────┬──────┬──────────┬───────┬───────────┬───────────┬─────────────┬────────────┬──────────┐
 *   │ next │ prev │ freeHead │ fresh │ blockSize │ usedCount │ blocksTotal │ classIndex │ pageBase │
 *   └──────┴──────┴──────────┴───────┴───────────┴───────────┴─────────────┴────────────┴──────────┘
 *
 * `next`/`prev` link the partial list of the class; in the pool of returned pages only `next` counts.
 */
@unmanaged
class SlabPage {
  next: usize;
  prev: usize;
  /** First freed block; each freed block's first word is the next one. */
  freeHead: usize;
  /** Address of the first block never handed out. */
  fresh: usize;
  blockSize: u32;
  usedCount: u16;
  blocksTotal: u16;
  classIndex: u32;
  /** Address of the page itself. */
  pageBase: usize;
}

/**
 *   0             4           8
 *   ┌─────────────┬───────────┐
 *   │ partialHead │ emptyPage │   one per class, in front of the page table
 *   └─────────────┴───────────┘
 */
@unmanaged
class SlabClass {
  /** Pages with at least one block used and one free. */
  partialHead: usize;
  /** One wholly free page kept back, so that a load that hovers around a page's edge does not move pages about. */
  emptyPage: usize;
}

let classTable: usize = 0;
let pageTable: usize = 0;
let pagesBase: usize = 0;
let pageCount: u32 = 0;
/** Index of the first page that was never used. */
let freshPage: u32 = 0;
/** Records of pages that were used and came back. */
let pooledPages: usize = 0;
let pagesInUse: u32 = 0;
let bytesInUse: u32 = 0;

/** Lays the slab over [base, end). Pages are whole, 64 KiB aligned, and untouched until used. */
export function slabInitialize(base: usize, end: usize): void {
  assert(base <= end);
  classTable = (base + ALIGNMENT_MASK) & ~ALIGNMENT_MASK;
  pageTable = classTable + CLASS_COUNT * offsetof<SlabClass>();
  pageCount = 0;
  if (end > pageTable) {
    pageCount = <u32>((end - pageTable) / (PAGE_SIZE + offsetof<SlabPage>()));
    // Rounding the first page up to its alignment costs at most one page.
    if (pageCount != 0 && firstPageAfter(pageCount) + pageCount * PAGE_SIZE > end) pageCount--;
  }
  pagesBase = firstPageAfter(pageCount);
  freshPage = 0;
  pooledPages = 0;
  pagesInUse = 0;
  bytesInUse = 0;
  if (pageCount != 0) memory.fill(classTable, 0, CLASS_COUNT * offsetof<SlabClass>());
}

function firstPageAfter(count: u32): usize {
  return (pageTable + count * offsetof<SlabPage>() + PAGE_MASK) & ~(<usize>PAGE_MASK);
}

/**
 * A block of at least `size` bytes, 16-byte aligned, its bytes not initialised.
 * 0 when no page is left or `size` is above SLAB_MAX.
 */
export function slabAllocate(size: u32): usize {
  if (size > SLAB_MAX || pageCount == 0) return 0;
  const classIndex = classOf(size);
  const slabClass = changetype<SlabClass>(classTable + classIndex * offsetof<SlabClass>());
  let pagePtr = slabClass.partialHead;
  if (pagePtr == 0) {
    pagePtr = openPage(slabClass, classIndex);
    if (pagePtr == 0) return 0;
  }
  const page = changetype<SlabPage>(pagePtr);
  let block = page.freeHead;
  if (block != 0) {
    page.freeHead = load<usize>(block);
  } else {
    block = page.fresh;
    page.fresh = block + page.blockSize;
  }
  const usedCount = page.usedCount + 1;
  page.usedCount = usedCount;
  if (usedCount == page.blocksTotal) unlinkPartial(slabClass, page);
  bytesInUse += page.blockSize;
  return block;
}

/** Gives a block back. The page that becomes wholly free returns to the pool, or stays as the one cached by its class. */
export function slabFree(block: usize): void {
  const page = pageOf(block);
  assert(page.usedCount > 0 && block < page.fresh, "block is not in use");
  assert((block - page.pageBase) % page.blockSize == 0, "address is inside a block");
  assert(block != page.freeHead, "block is freed twice");
  const slabClass = changetype<SlabClass>(classTable + page.classIndex * offsetof<SlabClass>());
  store<usize>(block, page.freeHead);
  page.freeHead = block;
  bytesInUse -= page.blockSize;
  const wasFull = page.usedCount == page.blocksTotal;
  const usedCount = page.usedCount - 1;
  page.usedCount = usedCount;
  if (usedCount != 0) {
    if (wasFull) linkPartial(slabClass, page);
    return;
  }
  if (!wasFull) unlinkPartial(slabClass, page);
  if (slabClass.emptyPage == 0) {
    slabClass.emptyPage = changetype<usize>(page);
  } else {
    poolPage(page);
  }
}

/** Bytes that the block really holds: its class size. */
export function slabCapacity(block: usize): u32 {
  return pageOf(block).blockSize;
}

/** Class bytes handed out and not given back. */
export function slabBytesInUse(): u32 {
  return bytesInUse;
}

/** Pages that belong to a class now, the cached empty ones included. */
export function slabPagesInUse(): u32 {
  return pagesInUse;
}

/** Pages there are in all. */
export function slabPageCount(): u32 {
  return pageCount;
}

/**
 * Each class is 2^k or 3·2^(k-1), so the index is the position of the top bit of `size - 1` and the bit below it: a
 * computed table, with no loop and no memory.
 */
// @ts-ignore: decorator
@inline
function classOf(size: u32): u32 {
  if (size <= 1 << SMALLEST_BITS) return 0;
  const last = size - 1;
  const topBit = 31 - clz(last);
  const halfStep = (last >> (topBit - 1)) & 1;
  return min(((topBit - SMALLEST_BITS) << 1) + halfStep + 1, WHOLE_PAGE_CLASS);
}

function classSize(classIndex: u32): u32 {
  if (classIndex == WHOLE_PAGE_CLASS) return SLAB_MAX;
  return (2 | (classIndex & 1)) << (SMALLEST_BITS - 1 + (classIndex >> 1));
}

// @ts-ignore: decorator
@inline
function pageOf(block: usize): SlabPage {
  assert(block >= pagesBase && (block - pagesBase) >> PAGE_BITS < freshPage, "address is outside the slab");
  return changetype<SlabPage>(pageTable + ((block - pagesBase) >> PAGE_BITS) * offsetof<SlabPage>());
}

/** A page with room, linked as the class's only partial page: the cached one, or one from the pool. 0 when none is left. */
function openPage(slabClass: SlabClass, classIndex: u32): usize {
  const cached = slabClass.emptyPage;
  if (cached != 0) {
    slabClass.emptyPage = 0;
    linkPartial(slabClass, changetype<SlabPage>(cached));
    return cached;
  }
  const pagePtr = takePage();
  if (pagePtr == 0) return 0;
  const page = changetype<SlabPage>(pagePtr);
  const blockSize = classSize(classIndex);
  page.freeHead = 0;
  page.fresh = page.pageBase;
  page.blockSize = blockSize;
  page.usedCount = 0;
  page.blocksTotal = <u16>(PAGE_SIZE / blockSize);
  page.classIndex = classIndex;
  linkPartial(slabClass, page);
  return pagePtr;
}

/** A page that no class owns. When the pool is dry, pages cached empty by other classes come back first. */
function takePage(): usize {
  if (pooledPages == 0 && freshPage == pageCount) poolCachedPages();
  let pagePtr = pooledPages;
  if (pagePtr != 0) {
    pooledPages = changetype<SlabPage>(pagePtr).next;
  } else {
    if (freshPage == pageCount) return 0;
    pagePtr = pageTable + freshPage * offsetof<SlabPage>();
    changetype<SlabPage>(pagePtr).pageBase = pagesBase + (freshPage << PAGE_BITS);
    freshPage++;
  }
  pagesInUse++;
  return pagePtr;
}

function poolPage(page: SlabPage): void {
  page.next = pooledPages;
  pooledPages = changetype<usize>(page);
  pagesInUse--;
}

function poolCachedPages(): void {
  for (let classIndex: u32 = 0; classIndex < CLASS_COUNT; classIndex++) {
    const slabClass = changetype<SlabClass>(classTable + classIndex * offsetof<SlabClass>());
    if (slabClass.emptyPage != 0) {
      poolPage(changetype<SlabPage>(slabClass.emptyPage));
      slabClass.emptyPage = 0;
    }
  }
}

function linkPartial(slabClass: SlabClass, page: SlabPage): void {
  const head = slabClass.partialHead;
  page.prev = 0;
  page.next = head;
  if (head != 0) changetype<SlabPage>(head).prev = changetype<usize>(page);
  slabClass.partialHead = changetype<usize>(page);
}

function unlinkPartial(slabClass: SlabClass, page: SlabPage): void {
  if (page.prev != 0) changetype<SlabPage>(page.prev).next = page.next;
  else slabClass.partialHead = page.next;
  if (page.next != 0) changetype<SlabPage>(page.next).prev = page.prev;
}
