// Links one object at a time into memory of its own. Any thread; links run in parallel.
//
// JITLink is used as it is, without ORC's session around it: a module is a single object, its versions share nothing,
// and the lookup below is all the symbol resolution there is. C needs no unwind tables, so none are registered.
#include "jit/linker.h"

// clang-format off: before LLVM's own
#include "jit/scoped_printer.h"
// clang-format on

#include <fmt/format.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>
#include <llvm/Object/ObjectFile.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>

#include "jit/code_memory.h"
#include "jit/compiler_arguments.h"
#include "jit/link_memory.h"
#include "jit/linked_image.h"
#include "jit/source_excerpt.h"
#include "jit/symbol_policy.h"

namespace cweb::jit {
namespace {

namespace jitlink = llvm::jitlink;
namespace orc = llvm::orc;

struct MissingSymbol {
  std::string name;
  std::string_view refusal;  ///< why the policy keeps it back; empty: nobody knows it
};

/// What one link leaves behind.
struct LinkOutcome {
  LinkedParts parts;
  std::vector<MissingSymbol> missing;
  std::string error;  ///< empty when the link succeeded
};

/// .init_array and, after priorities, .init_array.N: the smaller N runs first, those without one run last.
std::optional<unsigned> constructor_priority(llvm::StringRef section) {
  constexpr unsigned none = 65'536;
  if (!section.consume_front(".init_array")) return std::nullopt;
  if (section.empty()) return none;
  unsigned priority = 0;
  if (!section.consume_front(".") || section.getAsInteger(10, priority)) return std::nullopt;
  return priority;
}

/// Where the code of each of the object's sections goes.
class CodeSections {
 public:
  /// Before anything is moved: the graph's blocks still show the object's own bytes, by which their section is known.
  void note(const jitlink::Section& section) {
    if (!has(section.getMemProt(), orc::MemProt::Exec)) return;
    for (const jitlink::Block* block : section.blocks()) {
      if (!block->isZeroFill()) blocks_.push_back({block, block->getContent().data()});
    }
  }

  /// Once the blocks have their addresses.
  std::vector<CodeSection> placed(const llvm::object::ObjectFile& object) const {
    std::vector<CodeSection> sections;
    for (const llvm::object::SectionRef& section : object.sections()) {
      llvm::Expected<llvm::StringRef> bytes = section.getContents();
      if (!bytes) {
        llvm::consumeError(bytes.takeError());
        continue;
      }
      for (const auto& [block, begin] : blocks_) {
        // A section without bytes stands where the next one begins.
        if (bytes->empty() || bytes->data() != begin) continue;
        sections.push_back({section.getIndex(), block->getAddress().getValue(), block->getSize()});
      }
    }
    return sections;
  }

 private:
  struct Entry {
    const jitlink::Block* block;
    const char* begin;  ///< of its bytes in the object
  };
  std::vector<Entry> blocks_;
};

/// JITLink's view of one link. JITLink destroys it when the link is over; the outcome is the caller's.
class LinkJob final : public jitlink::JITLinkContext {
 public:
  LinkJob(const llvm::object::ObjectFile& object, CodeMemory& memory, SymbolPolicy& policy, LinkOutcome& outcome)
      : JITLinkContext(nullptr), object_(object), memory_(memory), policy_(policy), outcome_(outcome) {}

  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_; }
  void notifyFailed(llvm::Error error) override { outcome_.error = llvm::toString(std::move(error)); }
  void lookup(const LookupMap& names, std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> go_on) override;
  llvm::Error notifyResolved(jitlink::LinkGraph& graph) override;
  void notifyFinalized(jitlink::JITLinkMemoryManager::FinalizedAlloc finished) override {
    outcome_.parts.range = memory_.take(std::move(finished));
  }
  llvm::Error modifyPassConfig(jitlink::LinkGraph& graph, jitlink::PassConfiguration& passes) override;

 private:
  llvm::Error before_pruning(jitlink::LinkGraph& graph);
  llvm::Error after_fixups(jitlink::LinkGraph& graph);

  const llvm::object::ObjectFile& object_;
  LinkMemory memory_;
  SymbolPolicy& policy_;
  LinkOutcome& outcome_;
  CodeSections code_;
};

llvm::Error LinkJob::modifyPassConfig(jitlink::LinkGraph&, jitlink::PassConfiguration& passes) {
  passes.PrePrunePasses.push_back([this](jitlink::LinkGraph& graph) { return before_pruning(graph); });
  passes.PostFixupPasses.push_back([this](jitlink::LinkGraph& graph) { return after_fixups(graph); });
  return llvm::Error::success();
}

llvm::Error LinkJob::before_pruning(jitlink::LinkGraph& graph) {
  for (jitlink::Section& section : graph.sections()) {
    code_.note(section);
    if (!constructor_priority(section.getName())) continue;
    // No symbol points into this table, so that JITLink would drop it. (.fini_array is dropped: destructors of a module
    // are not run, `unload` is what runs when a version goes.)
    for (jitlink::Block* block : section.blocks()) {
      graph.addAnonymousSymbol(*block, 0, block->getSize(), /*IsCallable=*/false, /*IsLive=*/true);
    }
  }
  return llvm::Error::success();
}

void LinkJob::lookup(const LookupMap& names, std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> go_on) {
  jitlink::AsyncLookupResult result;
  for (const auto& [name, flags] : names) {
    const SymbolPolicy::Answer answer = policy_.find(name.str());
    if (answer.address == nullptr && flags == jitlink::SymbolLookupFlags::RequiredSymbol) {
      outcome_.missing.push_back({name.str(), answer.refusal});
    }
    // A weak reference to an unknown name is null, as C wants it.
    result[name] = orc::ExecutorSymbolDef(orc::ExecutorAddr::fromPtr(answer.address), llvm::JITSymbolFlags::Exported);
  }
  if (outcome_.missing.empty()) return go_on->run(std::move(result));
  go_on->run(llvm::make_error<jitlink::JITLinkError>("undefined symbols"));
}

llvm::Error LinkJob::notifyResolved(jitlink::LinkGraph& graph) {
  for (const jitlink::Symbol* symbol : graph.defined_symbols()) {
    if (!symbol->hasName() || symbol->getScope() != jitlink::Scope::Default) continue;
    outcome_.parts.symbols.emplace(symbol->getName().str(), symbol->getAddress().toPtr<void*>());
  }
  outcome_.parts.code_sections = code_.placed(object_);
  return llvm::Error::success();
}

llvm::Error LinkJob::after_fixups(jitlink::LinkGraph& graph) {
  std::multimap<unsigned, const jitlink::Block*> tables;
  for (const jitlink::Section& section : graph.sections()) {
    const std::optional<unsigned> priority = constructor_priority(section.getName());
    if (!priority) continue;
    for (const jitlink::Block* block : section.blocks()) tables.emplace(*priority, block);
  }
  for (const auto& [priority, block] : tables) {
    const llvm::ArrayRef<char> bytes = block->getContent();
    for (size_t at = 0; at + sizeof(void*) <= bytes.size(); at += sizeof(void*)) {
      void (*constructor)() = nullptr;
      std::memcpy(&constructor, bytes.data() + at, sizeof constructor);
      if (constructor != nullptr) outcome_.parts.constructors.push_back(constructor);
    }
  }
  return llvm::Error::success();
}

Diagnostic describe(const MissingSymbol& missing, const ModuleFacts& facts) {
  Diagnostic diagnostic;
  // Thread-local variables go by the name of the record that describes them.
  std::string_view name = missing.name;
  if (name.starts_with("__emutls_v.")) name.remove_prefix(std::string_view("__emutls_v.").size());
  diagnostic.message = missing.refusal.empty() ? fmt::format("undefined symbol '{}'", name)
                                               : fmt::format("modules may not use '{}': {}", name, missing.refusal);
  for (const ExternalUse& use : facts.external_uses) {
    if (use.name != name) continue;
    diagnostic.position = use.position;
    break;
  }
  return diagnostic;
}

/// For whoever has the library.
Diagnostic library_note() {
  Diagnostic note;
  note.severity = Diagnostic::Severity::note;
  note.message = "none of the libraries that modules may use has it; `cweb serve --link libNAME.so` offers another one";
  return note;
}

LinkFailure undefined_symbols(const std::vector<MissingSymbol>& missing, const ModuleFacts& facts,
                              std::string_view source) {
  LinkFailure failure;
  for (const MissingSymbol& each : missing) failure.diagnostics.push_back(describe(each, facts));
  std::sort(failure.diagnostics.begin(), failure.diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.position.line, a.position.column, a.message) <
           std::tie(b.position.line, b.position.column, b.message);
  });
  const auto unknown =
      std::find_if(missing.begin(), missing.end(), [](const auto& each) { return each.refusal.empty(); });
  if (unknown != missing.end()) failure.diagnostics.push_back(library_note());
  for (const Diagnostic& diagnostic : failure.diagnostics) failure.rendered += rendered_in_source(diagnostic, source);
  return failure;
}

LinkFailure cannot_link(const std::string& reason) {
  LinkFailure failure;
  Diagnostic diagnostic;
  diagnostic.message = fmt::format("the compiled module cannot be linked: {}", reason);
  failure.rendered = rendered_in_source(diagnostic, {});
  failure.diagnostics.push_back(std::move(diagnostic));
  return failure;
}

class JitLinker final : public Linker {
 public:
  JitLinker(std::shared_ptr<CodeMemory> memory, std::unique_ptr<SymbolPolicy> policy)
      : memory_(std::move(memory)), policy_(std::move(policy)) {}

  std::expected<std::unique_ptr<CodeImage>, LinkFailure> link(const Compilation& compilation,
                                                              std::string_view source) override;

 private:
  const std::shared_ptr<CodeMemory> memory_;
  const std::unique_ptr<SymbolPolicy> policy_;
};

std::expected<std::unique_ptr<CodeImage>, LinkFailure> JitLinker::link(const Compilation& compilation,
                                                                       std::string_view source) {
  const llvm::MemoryBufferRef bytes(compilation.object, module_file);
  auto object = llvm::object::ObjectFile::createELFObjectFile(bytes);
  if (!object) return std::unexpected(cannot_link(llvm::toString(object.takeError())));
  auto graph = jitlink::createLinkGraphFromObject(bytes);
  if (!graph) return std::unexpected(cannot_link(llvm::toString(graph.takeError())));

  LinkOutcome outcome;
  // Calls back on this thread, and has when it returns.
  jitlink::link(std::move(*graph), std::make_unique<LinkJob>(**object, *memory_, *policy_, outcome));
  if (!outcome.missing.empty()) return std::unexpected(undefined_symbols(outcome.missing, compilation.facts, source));
  if (!outcome.error.empty()) return std::unexpected(cannot_link(outcome.error));
  return std::make_unique<LinkedImage>(std::move(outcome.parts), compilation.object, compilation.facts);
}

}  // namespace

Expected<std::unique_ptr<Linker>> Linker::create(std::span<const HostSymbol> host,
                                                 const std::vector<std::string>& libraries) {
  auto memory = CodeMemory::create();
  if (!memory) return std::unexpected(memory.error());
  auto policy = SymbolPolicy::create(host, libraries);
  if (!policy) return std::unexpected(policy.error());
  return std::make_unique<JitLinker>(std::move(*memory), std::move(*policy));
}

}  // namespace cweb::jit
