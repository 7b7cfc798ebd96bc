// Stands before LLVM headers that bring ScopedPrinter.h. In C++23 destructors of unique_ptr are constexpr, so that
// Clang wants the pointed-to type complete where LLVM 19 only declares it; a deleter of its own postpones that.
#pragma once

#include <memory>

namespace llvm {
struct DelimitedScope;
}

template <>
struct std::default_delete<llvm::DelimitedScope> {
  void operator()(llvm::DelimitedScope* scope) const;
};

#include <llvm/Support/ScopedPrinter.h>

inline void std::default_delete<llvm::DelimitedScope>::operator()(llvm::DelimitedScope* scope) const {
  delete scope;
}
