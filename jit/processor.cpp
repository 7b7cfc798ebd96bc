#include "jit/processor.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/X86TargetParser.h>

#include <algorithm>

namespace cweb::jit {

Processor host_processor() {
  Processor processor;
  processor.name = llvm::sys::getHostCPUName().str();
  // One that this LLVM has no name for. Clang does not know "generic", and what it can do its features say.
  if (processor.name == "generic") processor.name = "x86-64";
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    processor.features.emplace(feature.first(), feature.second);
  }
  return processor;
}

std::vector<std::string> differing_features(const Processor& processor) {
  llvm::SmallVector<llvm::StringRef, 128> implied;
  llvm::X86::getFeaturesForCPU(processor.name, implied);
  const auto avx512 = processor.features.find("avx512f");
  const bool has_avx512 = avx512 != processor.features.end() && avx512->second;
  std::vector<std::string> differing;
  for (const auto& [feature, is_there] : processor.features) {
    if (is_there == llvm::is_contained(implied, feature)) continue;
    // AVX10.1 is another name for instructions that AVX-512's features name one by one. Beside those Clang warns of
    // "+avx10.1-256", which it reads as a bound on the registers' width, with each source.
    if (has_avx512 && feature.starts_with("avx10.")) continue;
    differing.push_back((is_there ? "+" : "-") + feature);
  }
  std::sort(differing.begin(), differing.end());
  return differing;
}

std::string llvm_version() {
  return LLVM_VERSION_STRING;
}

}  // namespace cweb::jit
