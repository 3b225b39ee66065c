/**
 * The representations of field lines, RFC 9204 §4.5.2 to §4.5.6: the bits that tell them apart, and the prefixes of their integers.
 *
 *   1 T index6                indexed field line           T: in the static table, else relative to the base
 *   0 1 N T index4            literal with name reference  N: never to be indexed by anybody on the way
 *   0 0 1 N H length3         literal with literal name    H: Huffman
 *   0 0 0 1 index4            indexed with post-base index
 *   0 0 0 0 N index3          literal with post-base name reference
 *
 * Behind every literal stands its value, a string with a prefix of seven bits.
 */
export const INDEXED: u32 = 0x80;
export const INDEXED_STATIC: u32 = 0x40;
export const INDEXED_MASK: u32 = 0x3f;

export const NAME_REFERENCE: u32 = 0x40;
export const NAME_REFERENCE_NEVER: u32 = 0x20;
export const NAME_REFERENCE_STATIC: u32 = 0x10;
export const NAME_REFERENCE_MASK: u32 = 0x0f;

export const LITERAL_NAME: u32 = 0x20;
export const LITERAL_NAME_NEVER: u32 = 0x10;
export const LITERAL_NAME_MASK: u32 = 0x07;

export const POST_BASE_INDEXED: u32 = 0x10;
export const POST_BASE_INDEXED_MASK: u32 = 0x0f;

export const POST_BASE_NAME_NEVER: u32 = 0x08;
export const POST_BASE_NAME_MASK: u32 = 0x07;

export const VALUE_MASK: u32 = 0x7f;
