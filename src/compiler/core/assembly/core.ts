// The core of every policy module: scanner, matcher and result writer behind OPA's ABI and our direct door. Written for
// AssemblyScript with loads and stores alone: no managed objects, so no runtime and no garbage collector in the module. What
// differs from policy to policy is data, the table segment, and the body of `talon_condition`; the linker puts both in.

export * from './abi';
export * from './direct';
export {
  talon_test_choose,
  talon_test_contains,
  talon_test_ends,
  talon_test_fact,
  talon_test_host,
  talon_test_kind,
  talon_test_not,
  talon_test_number,
  talon_test_present,
  talon_test_starts,
  talon_test_text,
  talon_test_truth,
} from './condition';
