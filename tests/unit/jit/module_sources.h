// Sources that the tests of jit post, and a compiler that a whole test suite shares.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "jit/compiler.h"

namespace cweb::jit {

/// A module with these lines behind its #include, which is line 1.
inline std::string module_with(const std::string& lines) {
  return "#include <cweb.h>\n" + lines + "\nexport module_t config = {.name = \"test\"};\n";
}

/// The message in the middle of a source that is one line of code in a function.
inline std::string with_statement(const std::string& statement) {
  return module_with("void f(void) { " + statement + " }");
}

/// The compiler takes a while to get warm, so that the tests of one process share it.
class CompilerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto made = compile_in_process({});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    compiler_ = std::move(*made);
  }
  static void TearDownTestSuite() { compiler_.reset(); }

  static std::expected<Compilation, CompileFailure> compile(const std::string& source) {
    return compiler_->compile(source);
  }

  /// What a source that must not compile is refused with.
  static CompileFailure refusal(const std::string& source) {
    auto outcome = compile(source);
    EXPECT_FALSE(outcome.has_value()) << "compiled:\n" << source.substr(0, 500);
    return outcome ? CompileFailure{} : outcome.error();
  }

  /// What a source that must compile becomes.
  static Compilation compilation(const std::string& source) {
    auto outcome = compile(source);
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().rendered);
    return outcome ? *outcome : Compilation{};
  }

 private:
  static inline std::unique_ptr<Compiler> compiler_;
};

}  // namespace cweb::jit
