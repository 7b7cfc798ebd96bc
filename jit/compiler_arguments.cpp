// The arguments of one compile, as Clang's driver would make them for
//   clang -O2 -march=native -fPIC -std=gnu17 -g1 -fno-omit-frame-pointer -femulated-tls -c module.c
// The driver itself is not used: it looks for toolchains on disk.
#include "jit/compiler_arguments.h"

#include <clang/Basic/Diagnostic.h>
#include <clang/Basic/DiagnosticIDs.h>
#include <clang/Basic/DiagnosticOptions.h>
#include <clang/Basic/TargetOptions.h>
#include <clang/Lex/PreprocessorOptions.h>

#include <utility>

#include "base/error.h"
#include "jit/processor.h"
#include "jit/sysroot_files.h"

namespace cweb::jit {
namespace {

void add_code_generation(std::vector<std::string>& arguments) {
  arguments.insert(
      arguments.end(),
      {"-triple", "x86_64-pc-linux-gnu", "-emit-obj", "-O2",
       // The driver turns these on for -O2; the front end alone would not vectorise.
       "-vectorize-loops", "-vectorize-slp", "-disable-llvm-verifier", "-discard-value-names",
       // No -fhalf-no-semantic-interposition: a module's own definitions win, so calls inside it are direct.
       "-mrelocation-model", "pic", "-pic-level", "2",
       // Faults are traced by walking frame pointers; there are no unwind tables.
       "-mframe-pointer=all",
       // Where C leaves the outcome open the code ends without these, and what runs then is another function: the call
       // is to end there, with its line. See division_traps.h, and TrapUnreachable in ObjectEmitter.
       "-fno-delete-null-pointer-checks", "-fsanitize=integer-divide-by-zero", "-fsanitize-trap=integer-divide-by-zero",
       // A frame larger than the guard page must not step over it.
       "-fstack-clash-protection",
       // Thread-local storage belongs to a version and is found through a call of the host's.
       "-femulated-tls", "-fmath-errno", "-ffp-contract=on", "-fno-rounding-math", "-debug-info-kind=line-tables-only",
       // Version 5 would have the MD5 sum of each header that a called function comes from, and describe each call.
       "-dwarf-version=4", "-fdebug-compilation-dir=/", "-main-file-name", module_file});
}

void add_processor(std::vector<std::string>& arguments) {
  const Processor processor = host_processor();
  arguments.insert(arguments.end(), {"-target-cpu", processor.name});
  for (std::string& feature : differing_features(processor)) {
    arguments.insert(arguments.end(), {"-target-feature", std::move(feature)});
  }
}

void add_language(std::vector<std::string>& arguments) {
  arguments.insert(arguments.end(), {"-x", "c", "-std=gnu17",
                                     // Defines __GNUC__, which the C library's headers ask for.
                                     "-fgnuc-version=4.2.1",
                                     // #pragma clang __debug could end the process.
                                     "-disable-pragma-debug-crash"});
}

void add_headers(std::vector<std::string>& arguments, const std::vector<std::string>& include_directories) {
  for (const std::string& directory : include_directories) arguments.insert(arguments.end(), {"-I", directory});
  for (const char* directory :
       {cweb_header_directory, clang_header_directory, "/usr/include/x86_64-linux-gnu", "/usr/include"}) {
    arguments.insert(arguments.end(), {"-internal-isystem", directory});
  }
}

void add_messages(std::vector<std::string>& arguments) {
  arguments.insert(
      arguments.end(),
      {"-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
       // C lets these pass, and each of them takes a server down.
       "-Werror=implicit-function-declaration", "-Werror=implicit-int", "-Werror=int-conversion",
       "-Werror=incompatible-pointer-types", "-Werror=incompatible-function-pointer-types", "-Werror=return-type",
       // `res->body = page` with a const page is common, and harmless.
       "-Wno-error=incompatible-pointer-types-discards-qualifiers", "-ferror-limit", "20"});
}

}  // namespace

std::vector<std::string> compiler_arguments(const std::vector<std::string>& include_directories) {
  std::vector<std::string> arguments;
  add_code_generation(arguments);
  add_processor(arguments);
  add_language(arguments);
  add_headers(arguments, include_directories);
  add_messages(arguments);
  arguments.push_back(module_file);
  return arguments;
}

std::unique_ptr<clang::CompilerInvocation> compiler_invocation(const std::vector<std::string>& include_directories) {
  const std::vector<std::string> arguments = compiler_arguments(include_directories);
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  clang::DiagnosticsEngine diagnostics(llvm::makeIntrusiveRefCnt<clang::DiagnosticIDs>(),
                                       llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>(),
                                       new clang::IgnoringDiagConsumer);
  auto invocation = std::make_unique<clang::CompilerInvocation>();
  CWEB_ASSERT(clang::CompilerInvocation::CreateFromArgs(*invocation, pointers, diagnostics));
  // What is left alive at the end of a compile would be a leak of half a megabyte each time.
  invocation->getFrontendOpts().DisableFree = false;
  invocation->getCodeGenOpts().DisableFree = false;
  // The source's buffer belongs to whoever asked for the compile.
  invocation->getPreprocessorOpts().RetainRemappedFileBuffers = true;
  return invocation;
}

llvm::IntrusiveRefCntPtr<clang::TargetInfo> compiler_target(const clang::CompilerInvocation& invocation) {
  clang::DiagnosticsEngine diagnostics(llvm::makeIntrusiveRefCnt<clang::DiagnosticIDs>(),
                                       llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>(),
                                       new clang::IgnoringDiagConsumer);
  llvm::IntrusiveRefCntPtr<clang::TargetInfo> target(clang::TargetInfo::CreateTargetInfo(
      diagnostics, std::make_shared<clang::TargetOptions>(invocation.getTargetOpts())));
  CWEB_ASSERT(target != nullptr);
  clang::LangOptions language = invocation.getLangOpts();
  target->adjust(diagnostics, language);
  return target;
}

}  // namespace cweb::jit
