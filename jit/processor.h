// The processor that modules are compiled for. Pure but for asking which one this is; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cweb::jit {

struct Processor {
  std::string name;                      ///< as Clang's -target-cpu has it
  std::map<std::string, bool> features;  ///< "avx2": whether it is there
};

/// The one that this process runs on.
Processor host_processor();

/// What Clang has to be told beside the name, as "+avx2" or "-avx512f", sorted. A name stands for features that a
/// virtual machine may hide, and lacks some that it may show. Saying all of them would be right too, but each is read
/// again with every preamble.
std::vector<std::string> differing_features(const Processor& processor);

/// "19.1.7": of the LLVM that compiles.
std::string llvm_version();

}  // namespace cweb::jit
