// One compile: source text in, object bytes, facts and messages out. What belongs to the
// source is made anew and gone when it returns; kept between compiles are the parsed arguments, the target, the
// headers, the preambles and LLVM's machinery.
#include "jit/source_compiler.h"

#include <clang/Basic/Stack.h>
#include <clang/Basic/TargetInfo.h>
#include <clang/CodeGen/ModuleBuilder.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendAction.h>
#include <clang/Frontend/MultiplexConsumer.h>
#include <clang/Lex/PreprocessorOptions.h>
#include <fmt/format.h>
#include <llvm/Support/JSON.h>
#include <llvm/Support/TargetSelect.h>

#include <array>

#include "base/clock.h"
#include "jit/backend_messages.h"
#include "jit/compiler_arguments.h"
#include "jit/diagnostic_collector.h"
#include "jit/inspector.h"
#include "jit/object_emitter.h"
#include "jit/preamble_cache.h"
#include "jit/sysroot_files.h"
#include "jit/warm_up_module.h"

namespace cweb::jit {
namespace {

/// What follows the code generator on the list of consumers: when the source is read, and without errors, its module is
/// made into an object.
class BackEnd final : public clang::ASTConsumer {
 public:
  BackEnd(clang::CodeGenerator& generator, clang::DiagnosticsEngine& diagnostics, ObjectEmitter& emitter,
          llvm::SmallVectorImpl<char>& object)
      : generator_(generator), diagnostics_(diagnostics), emitter_(emitter), object_(object) {}

  void HandleTranslationUnit(clang::ASTContext&) override {
    llvm::Module* module = generator_.GetModule();
    if (module == nullptr || diagnostics_.hasErrorOccurred()) return;
    module->getContext().setDiagnosticHandler(std::make_unique<BackendMessages>(diagnostics_));
    emitter_.emit(*module, object_);
  }

 private:
  clang::CodeGenerator& generator_;
  clang::DiagnosticsEngine& diagnostics_;
  ObjectEmitter& emitter_;
  llvm::SmallVectorImpl<char>& object_;
};

/// Each consumer sees a declaration in turn. What the precompiled headers still bring up once the module is complete is
/// no longer for them.
class Consumers final : public clang::MultiplexConsumer {
 public:
  using MultiplexConsumer::MultiplexConsumer;
  void HandleInterestingDecl(clang::DeclGroupRef group) override {
    if (!complete_) MultiplexConsumer::HandleInterestingDecl(group);
  }
  void HandleTranslationUnit(clang::ASTContext& context) override {
    complete_ = true;
    MultiplexConsumer::HandleTranslationUnit(context);
  }

 private:
  bool complete_ = false;
};

/// Source to object: the inspector goes ahead of the code generator, the back end follows it.
class ModuleAction final : public clang::ASTFrontendAction {
 public:
  ModuleAction(const CompileLimits& limits, ObjectEmitter& emitter, Inspection& result,
               llvm::SmallVectorImpl<char>& object)
      : limits_(limits), emitter_(emitter), result_(result), object_(object) {}

 protected:
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& instance,
                                                        llvm::StringRef file) override {
    clang::DiagnosticsEngine& diagnostics = instance.getDiagnostics();
    std::unique_ptr<clang::CodeGenerator> generator(
        clang::CreateLLVMCodeGen(diagnostics, file, &instance.getVirtualFileSystem(), instance.getHeaderSearchOpts(),
                                 instance.getPreprocessorOpts(), instance.getCodeGenOpts(), context_));
    auto back_end = std::make_unique<BackEnd>(*generator, diagnostics, emitter_, object_);
    std::vector<std::unique_ptr<clang::ASTConsumer>> consumers;
    consumers.push_back(std::make_unique<Inspector>(diagnostics, limits_, result_));
    consumers.push_back(std::move(generator));
    consumers.push_back(std::move(back_end));
    return std::make_unique<Consumers>(std::move(consumers));
  }

 private:
  const CompileLimits& limits_;
  ObjectEmitter& emitter_;
  Inspection& result_;
  llvm::SmallVectorImpl<char>& object_;
  /// Types of a context are never freed, so each compile has its own. Outlives the consumers.
  llvm::LLVMContext context_;
};

CompileFailure rejected(std::string sentence, SourcePosition position = {}) {
  CompileFailure failure;
  failure.rendered = position.line == 0
                         ? fmt::format("error: {}\n", sentence)
                         : fmt::format("{}:{}:{}: error: {}\n", module_file, position.line, position.column, sentence);
  Diagnostic diagnostic;
  diagnostic.position = position;
  diagnostic.message = std::move(sentence);
  failure.diagnostics.push_back(std::move(diagnostic));
  return failure;
}

SourcePosition position_at(std::string_view source, size_t offset) {
  SourcePosition position{1, 1};
  for (char c : source.substr(0, offset)) {
    position.line += c == '\n';
    position.column = c == '\n' ? 1 : position.column + 1;
  }
  return position;
}

/// What can be said about a source without reading it as C.
std::optional<CompileFailure> refused_text(std::string_view source, const CompileLimits& limits) {
  if (source.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos) return rejected("the source is empty");
  if (source.size() > limits.source_bytes) {
    return rejected(fmt::format("the source has {} bytes; the limit is {}", source.size(), limits.source_bytes));
  }
  if (const size_t nul = source.find('\0'); nul != std::string_view::npos) {
    return rejected("the source has a NUL byte, so it is not C text", position_at(source, nul));
  }
  return std::nullopt;
}

class ClangCompiler final : public SourceCompiler {
 public:
  ClangCompiler(const CompilerOptions& options, IncludeDirs include_dirs)
      : limits_(options.limits),
        include_dirs_(std::move(include_dirs)),
        files_(sysroot_files(include_dirs_)),
        invocation_(compiler_invocation(include_dirs_.directories)),
        target_(compiler_target(*invocation_)),
        preambles_(*invocation_, files_) {}

  /// Once, before anything else.
  Expected<void> make_emitter();
  void warm_up() override;
  void prepare_next() override {
    emitter_->prepare_next();
    preambles_.build_missed();
  }
  std::expected<Compilation, CompileFailure> compile(std::string_view source) override;

 private:
  struct Run {
    Messages messages;
    Inspection inspection;
    llvm::SmallString<0> object;
    bool succeeded = false;
  };
  void run(std::string_view source, Run& run);
  std::shared_ptr<clang::CompilerInvocation> invocation_for(llvm::MemoryBuffer& source,
                                                            const PreambleCache::Found& found) const;

  const CompileLimits limits_;
  const IncludeDirs include_dirs_;
  const llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files_;
  const std::unique_ptr<const clang::CompilerInvocation> invocation_;
  const llvm::IntrusiveRefCntPtr<clang::TargetInfo> target_;
  PreambleCache preambles_;
  std::unique_ptr<ObjectEmitter> emitter_;
};

Expected<void> ClangCompiler::make_emitter() {
  auto emitter = ObjectEmitter::create(*invocation_, target_->getTargetOpts().Features);
  if (!emitter) return std::unexpected(emitter.error());
  emitter_ = std::move(*emitter);
  return {};
}

void ClangCompiler::warm_up() {
  for (std::string_view includes :
       {"#include <stdio.h>\n#include <cweb.h>\n", "#include <cweb.h>\n#include <stdio.h>\n", "#include <cweb.h>\n"}) {
    const std::string source = std::string(includes) + std::string(warm_up_module);
    if (preambles_.find(source).preamble == nullptr) preambles_.build_missed();
    // With a header of --include in the way it may not compile; modules may all the same.
    static_cast<void>(compile(source));
    prepare_next();
  }
}

std::expected<Compilation, CompileFailure> ClangCompiler::compile(std::string_view source) {
  if (std::optional<CompileFailure> refused = refused_text(source, limits_))
    return std::unexpected(std::move(*refused));

  const int64_t began_ns = monotonic_ns();
  Run result;
  run(source, result);
  const int64_t ended_ns = monotonic_ns();

  if (!result.succeeded) {
    CompileFailure failure;
    failure.stage = result.inspection.only_config_is_wrong ? "config" : "compile";
    failure.rendered = std::move(result.messages.rendered);
    failure.diagnostics = std::move(result.messages.diagnostics);
    return std::unexpected(std::move(failure));
  }
  // Static storage is bounded already; inline assembly is not.
  if (const size_t most = 2 * limits_.static_data_bytes; result.object.size() > most) {
    return std::unexpected(
        rejected(fmt::format("the compiled module has {} bytes; the limit is {}", result.object.size(), most)));
  }
  Compilation compilation;
  compilation.object.assign(result.object.begin(), result.object.end());
  compilation.facts = std::move(result.inspection.facts);
  compilation.diagnostics = std::move(result.messages.diagnostics);
  compilation.rendered = std::move(result.messages.rendered);
  compilation.timings.front_end_ms = static_cast<double>(result.inspection.parsed_at_ns - began_ns) / 1e6;
  compilation.timings.back_end_ms = static_cast<double>(ended_ns - result.inspection.parsed_at_ns) / 1e6;
  compilation.timings.total_ms = static_cast<double>(ended_ns - began_ns) / 1e6;
  return compilation;
}

void ClangCompiler::run(std::string_view source, Run& run) {
  // Clang's lexer wants a NUL behind the text.
  const std::unique_ptr<llvm::MemoryBuffer> buffer = llvm::MemoryBuffer::getMemBufferCopy(source, module_file);
  DiagnosticCollector collector;
  const PreambleCache::Found found = preambles_.find(source);
  if (found.preamble != nullptr) collector.replay(found.preamble->messages);

  clang::CompilerInstance instance;
  instance.setInvocation(invocation_for(*buffer, found));
  instance.createDiagnostics(&collector, /*ShouldOwnClient=*/false);
  instance.createFileManager(found.preamble != nullptr ? found.preamble->files : files_);
  // CompilerInstance::ExecuteAction would make a target of its own.
  instance.setTarget(target_.get());
  clang::noteBottomOfStack();
  ModuleAction action(limits_, *emitter_, run.inspection, run.object);
  if (action.BeginSourceFile(instance, instance.getFrontendOpts().Inputs.front())) {
    llvm::consumeError(action.Execute());
    action.EndSourceFile();
    run.succeeded = !instance.getDiagnostics().hasErrorOccurred();
  }
  collector.finish();
  collector.close();
  run.messages = collector.take(found.include_lines);
}

std::shared_ptr<clang::CompilerInvocation> ClangCompiler::invocation_for(llvm::MemoryBuffer& source,
                                                                         const PreambleCache::Found& found) const {
  auto invocation = std::make_shared<clang::CompilerInvocation>(found.preamble != nullptr ? *found.preamble->invocation
                                                                                          : *invocation_);
  clang::PreprocessorOptions& options = invocation->getPreprocessorOpts();
  options.addRemappedFile(module_file, &source);
  if (found.preamble != nullptr) {
    // Its text differs in comments and blank lines at most, which mean nothing to the rest of the source.
    options.PrecompiledPreambleBytes = {found.bounds.Size, found.bounds.PreambleEndsAtStartOfLine};
  }
  return invocation;
}

}  // namespace

Expected<std::unique_ptr<SourceCompiler>> SourceCompiler::create(const CompilerOptions& options) {
  Expected<IncludeDirs> include_dirs = read_include_dirs(options.include_dirs);
  if (!include_dirs) return std::unexpected(include_dirs.error());
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  auto compiler = std::make_unique<ClangCompiler>(options, std::move(*include_dirs));
  if (const Expected<void> made = compiler->make_emitter(); !made) return std::unexpected(made.error());
  return compiler;
}

}  // namespace cweb::jit
