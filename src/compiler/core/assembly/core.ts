// The core of every policy module: scanner, matcher and result writer behind OPA's ABI and our direct door. Written for
// AssemblyScript with loads and stores alone: no managed objects, so no runtime and no garbage collector in the module. What
// differs from policy to policy is data, the table segment, and the body of `talon_condition`; the linker puts both in.

export * from './abi';
export * from './direct';
