// One compile: source text in, object bytes, facts and messages out. Everything Clang makes for it is made anew and
// gone when it returns; what is kept between compiles are the parsed arguments, the headers and the preambles.
#include "jit/source_compiler.h"

#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/MultiplexConsumer.h>
#include <clang/Lex/PreprocessorOptions.h>
#include <fmt/format.h>
#include <llvm/Support/JSON.h>
#include <llvm/Support/TargetSelect.h>

#include <array>

#include "base/clock.h"
#include "jit/compiler_arguments.h"
#include "jit/diagnostic_collector.h"
#include "jit/inspector.h"
#include "jit/preamble_cache.h"
#include "jit/sysroot_files.h"

namespace cweb::jit {
namespace {

/// Clang's "emit an object", with the inspector in front of the code generator.
class ModuleAction final : public clang::EmitObjAction {
 public:
  // Without a context of its own each compile would leave its types in a shared one.
  ModuleAction(const CompileLimits& limits, Inspection& result) : limits_(limits), result_(result) {}

 protected:
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& instance,
                                                        llvm::StringRef file) override {
    std::unique_ptr<clang::ASTConsumer> generator = EmitObjAction::CreateASTConsumer(instance, file);
    if (generator == nullptr) return nullptr;
    std::vector<std::unique_ptr<clang::ASTConsumer>> consumers;
    consumers.push_back(std::make_unique<Inspector>(instance.getDiagnostics(), limits_, result_));
    consumers.push_back(std::move(generator));
    return std::make_unique<clang::MultiplexConsumer>(std::move(consumers));
  }

 private:
  const CompileLimits& limits_;
  Inspection& result_;
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
        preambles_(*invocation_, files_) {}

  void warm_up() override;
  void prepare_next() override { preambles_.build_missed(); }
  std::expected<Compilation, CompileFailure> compile(std::string_view source) override;

 private:
  struct Run {
    Messages messages;
    Inspection inspection;
    llvm::SmallString<0> object;
    bool succeeded = false;
  };
  void run(std::string_view source, Run& run);

  const CompileLimits limits_;
  const IncludeDirs include_dirs_;
  const llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files_;
  const std::unique_ptr<const clang::CompilerInvocation> invocation_;
  PreambleCache preambles_;
};

void ClangCompiler::warm_up() {
  constexpr std::string_view module =
      "static int answer(struct http_request* request, struct http_response* response) {\n"
      "  response->content_length = snprintf(response->body, HTTP_RESPONSE_SIZE, \"%s\", request->path);\n"
      "  return 0;\n"
      "}\n"
      "export module_t config = {.name = \"warm\", .routes = {{\"/\", \"GET\", answer, NONE}}, .size = 1};\n";
  for (std::string_view includes :
       {"#include <cweb.h>\n", "#include <stdio.h>\n#include <cweb.h>\n", "#include <cweb.h>\n#include <stdio.h>\n"}) {
    const std::string source = std::string(includes) + std::string(module);
    if (preambles_.find(source).preamble == nullptr) preambles_.build_missed();
    static_cast<void>(compile(source));
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
  auto invocation = std::make_shared<clang::CompilerInvocation>(*invocation_);
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files = files_;
  DiagnosticCollector collector;
  const PreambleCache::Found found = preambles_.find(source);
  if (found.preamble != nullptr) {
    // Its text differs in comments and blank lines at most, which mean nothing to the rest of the source.
    found.preamble->precompiled.OverridePreamble(*invocation, files, buffer.get());
    collector.replay(found.preamble->messages);
  } else {
    invocation->getPreprocessorOpts().addRemappedFile(module_file, buffer.get());
  }

  clang::CompilerInstance instance;
  instance.setInvocation(std::move(invocation));
  instance.createDiagnostics(&collector, /*ShouldOwnClient=*/false);
  instance.setVerboseOutputStream(llvm::nulls());
  instance.createFileManager(files);
  instance.setOutputStream(std::make_unique<llvm::raw_svector_ostream>(run.object));
  ModuleAction action(limits_, run.inspection);
  run.succeeded = instance.ExecuteAction(action) && !instance.getDiagnostics().hasErrorOccurred();
  collector.close();
  run.messages = collector.take(found.include_lines);
}

}  // namespace

Expected<std::unique_ptr<SourceCompiler>> SourceCompiler::create(const CompilerOptions& options) {
  Expected<IncludeDirs> include_dirs = read_include_dirs(options.include_dirs);
  if (!include_dirs) return std::unexpected(include_dirs.error());
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  return std::make_unique<ClangCompiler>(options, std::move(*include_dirs));
}

}  // namespace cweb::jit
