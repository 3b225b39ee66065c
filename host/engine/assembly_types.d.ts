// The scalar types of AssemblyScript that appear in assembly/abi, which both compilers read. Here they are numbers.

type i32 = number;
type u32 = number;
type f64 = number;
type usize = number;
type bool = boolean;
