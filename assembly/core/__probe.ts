@unmanaged
export class Box {
  a: u32;
  b: u32;
}

@inline
export function probe(x: i32): i32 {
  const v = i32x4.splat(x);
  return i32x4.extract_lane(v,0)+i32x4.extract_lane(v,1)+i32x4.extract_lane(v,2)+i32x4.extract_lane(v,3);
}

// @ts-ignore: decorator
@inline
const LIMIT: i32 = 3;
