// Keeps precompiled preambles by the text they were made from. The headers never change, so text is all that matters.
#include "jit/preamble_cache.h"

#include <clang/Basic/DiagnosticOptions.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Lex/Lexer.h>
#include <clang/Lex/PreprocessorOptions.h>
#include <clang/Serialization/PCHContainerOperations.h>

#include "jit/compiler_arguments.h"
#include "jit/leading_includes.h"

namespace cweb::jit {
namespace {

// About a megabyte each.
constexpr size_t most_entries = 12;

// A leading block that defines macros by the thousand is no block of headers, and would take more than that megabyte.
constexpr size_t most_text_bytes = size_t{64} << 10;

}  // namespace

PreambleCache::Found PreambleCache::find(std::string_view source) {
  missed_.reset();
  const auto bounds = clang::ComputePreambleBounds(base_.getLangOpts(), llvm::MemoryBufferRef(source, module_file), 0);
  if (bounds.Size == 0 || bounds.Size > most_text_bytes) return {};
  const std::string exact(source.substr(0, bounds.Size));

  // A block of nothing but #include lines is known by them alone. If making that one brought messages, their lines
  // would be wrong for every other text, so those modules are known by their exact text.
  if (std::optional<CanonicalIncludes> canonical = canonical_includes(exact)) {
    std::string key = "includes:" + canonical->text;
    const Entry* entry = look_up(key);
    if (entry == nullptr) {
      missed_ = Wanted{std::move(key), std::move(canonical->text), true};
      return {};
    }
    if (entry->preamble) return {&*entry->preamble, bounds, std::move(canonical->lines)};
  }
  if (!conditions_are_closed(exact)) return {};
  std::string key = "text:" + exact;
  const Entry* entry = look_up(key);
  if (entry == nullptr) {
    missed_ = Wanted{std::move(key), exact, false};
    return {};
  }
  return {entry->preamble ? &*entry->preamble : nullptr, bounds, {}};
}

void PreambleCache::build_missed() {
  if (!missed_) return;
  std::optional<Preamble> preamble = build(missed_->text);
  if (preamble && missed_->canonical && !preamble->messages.diagnostics.empty()) preamble.reset();
  entries_.push_front({std::move(missed_->key), std::move(preamble)});
  missed_.reset();
  if (entries_.size() > most_entries) entries_.pop_back();
}

PreambleCache::Entry* PreambleCache::look_up(const std::string& key) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->key != key) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return &entries_.front();
  }
  return nullptr;
}

std::optional<PreambleCache::Preamble> PreambleCache::build(const std::string& text) const {
  DiagnosticCollector collector;
  const auto diagnostics = clang::CompilerInstance::createDiagnostics(
      new clang::DiagnosticOptions(base_.getDiagnosticOpts()), &collector, false);
  const auto buffer = llvm::MemoryBuffer::getMemBuffer(text, module_file);
  const auto bounds = clang::ComputePreambleBounds(base_.getLangOpts(), buffer->getMemBufferRef(), 0);
  clang::PreambleCallbacks callbacks;
  auto built = clang::PrecompiledPreamble::Build(base_, buffer.get(), bounds, *diagnostics, files_,
                                                 std::make_shared<clang::PCHContainerOperations>(),
                                                 /*StoreInMemory=*/true, /*StoragePath=*/"", callbacks);
  if (!built || diagnostics->hasErrorOccurred()) return std::nullopt;
  // Done once: adding the preamble to a file system hashes the whole of it.
  auto invocation = std::make_unique<clang::CompilerInvocation>(base_);
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files = files_;
  built->OverridePreamble(*invocation, files, buffer.get());
  invocation->getPreprocessorOpts().RemappedFileBuffers.clear();
  return Preamble{std::move(*built), std::move(invocation), std::move(files), collector.take()};
}

}  // namespace cweb::jit
