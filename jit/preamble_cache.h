// Precompiled leading #include blocks, kept in memory: parsing the headers is most of what a small module costs.
#pragma once

#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/PrecompiledPreamble.h>
#include <llvm/Support/VirtualFileSystem.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/diagnostic_collector.h"

namespace cweb::jit {

/// Used by one SourceCompiler on its thread. Both references outlive it.
class PreambleCache {
 public:
  PreambleCache(const clang::CompilerInvocation& base, llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files)
      : base_(base), files_(std::move(files)) {}

  struct Preamble {
    clang::PrecompiledPreamble precompiled;
    /// Options that use it, but for the source and the length of its leading block.
    std::unique_ptr<const clang::CompilerInvocation> invocation;
    llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files;  ///< the headers, and the preamble
    Messages messages;  ///< what Clang said while it was made; part of every compile that uses it
  };

  struct Found {
    const Preamble* preamble = nullptr;      ///< valid until build_missed()
    clang::PreambleBounds bounds{0, false};  ///< of the source's leading block
    std::vector<unsigned> include_lines;     ///< see DiagnosticCollector::take
  };
  /// The preamble that fits the leading block of `source`. Null: it has none, none is made yet (build_missed() will),
  /// or it has errors.
  Found find(std::string_view source);

  /// Makes the preamble that the last find() missed. Tens of milliseconds.
  void build_missed();

 private:
  struct Entry {
    std::string key;
    std::optional<Preamble> preamble;  ///< empty: cannot be had for this key
  };
  struct Wanted {
    std::string key;
    std::string text;
    bool canonical = false;
  };

  Entry* look_up(const std::string& key);
  std::optional<Preamble> build(const std::string& text) const;

  const clang::CompilerInvocation& base_;
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files_;
  std::list<Entry> entries_;  ///< most recently used first
  std::optional<Wanted> missed_;
};

}  // namespace cweb::jit
