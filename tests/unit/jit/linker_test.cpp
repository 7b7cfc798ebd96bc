// What linked modules see, what they are refused, and what they leave behind.
#include "jit/linker.h"

#include <dirent.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <thread>

#include "module_sources.h"

namespace cweb::jit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

int host_answer() {
  return 42;
}
int host_exit_calls = 0;
void host_exit(int) {
  ++host_exit_calls;
}
int host_number = 7;
FILE* stream_of_call = reinterpret_cast<FILE*>(&host_number);
FILE* stream_variable = nullptr;
FILE** ask_for_stream() {
  return &stream_of_call;
}

const std::array host_symbols{
    HostSymbol{"host_answer", reinterpret_cast<void*>(host_answer)},
    HostSymbol{"exit", reinterpret_cast<void*>(host_exit)},
    HostSymbol{"host_number", &host_number},
    HostSymbol{"__cweb_stdout", reinterpret_cast<void*>(ask_for_stream)},
    HostSymbol{"stdout", &stream_variable},
};

class LinkerTest : public CompilerTest {
 protected:
  LinkerTest() {
    auto made = Linker::create(host_symbols);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    linker_ = std::move(*made);
  }

  std::unique_ptr<CodeImage> link(const std::string& lines) {
    const std::string source = module_with(lines);
    auto image = linker_->link(compilation(source), source);
    EXPECT_TRUE(image.has_value()) << (image ? "" : image.error().rendered);
    return image ? std::move(*image) : nullptr;
  }

  LinkFailure link_failure(const std::string& lines) {
    const std::string source = module_with(lines);
    auto image = linker_->link(compilation(source), source);
    EXPECT_FALSE(image.has_value()) << lines;
    return image ? LinkFailure{} : image.error();
  }

  template <class Function>
  static Function* function(const CodeImage& image, std::string_view name) {
    void* const address = image.symbol(name);
    EXPECT_NE(address, nullptr) << name;
    return reinterpret_cast<Function*>(address);
  }

  /// The result of `int run(void)` in a module with these lines.
  int run(const std::string& lines) {
    const auto image = link(lines);
    return image == nullptr ? -1 : function<int()>(*image, "run")();
  }

  std::unique_ptr<Linker> linker_;
};

size_t count_mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

size_t count_descriptors() {
  size_t count = 0;
  DIR* const directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096;
}

// ------------------------------------------------------------------------------------------------- what modules see

TEST_F(LinkerTest, the_config_and_every_global_can_be_looked_up) {
  const auto image = link("int number = 5;\nstatic int hidden;\nint *get(void) { return &hidden; }");
  EXPECT_NE(image->symbol("config"), nullptr);
  EXPECT_EQ(*static_cast<int*>(image->symbol("number")), 5);
  EXPECT_EQ(image->symbol("hidden"), nullptr);
  EXPECT_EQ(image->symbol("printf"), nullptr);
  EXPECT_STREQ(static_cast<const char*>(image->symbol("config")), "test");
}

TEST_F(LinkerTest, the_hosts_functions_and_objects_are_there_and_win_over_the_libraries) {
  EXPECT_EQ(run("int host_answer(void); extern int host_number; int run(void) { return host_answer() + host_number; }"),
            49);
  host_exit_calls = 0;
  // The compiler knows that exit does not return; a pointer hides it from it.
  run("void (*volatile leave)(int) = exit; int run(void) { leave(1); return 0; }");
  EXPECT_EQ(host_exit_calls, 1);
}

TEST_F(LinkerTest, libc_libm_and_the_offered_libraries_are_there) {
  EXPECT_EQ(
      run("#include <math.h>\n#include <zlib.h>\n#include <openssl/sha.h>\n"
          "int run(void) { volatile double two = 2; unsigned char sum[32]; SHA256((unsigned char *)\"\", 0, sum);\n"
          "json_t *j = json_integer(3); int three = (int)json_integer_value(j); json_decref(j);\n"
          "return sum[0] == 0xe3 && three == 3 && (int)(sqrt(two) * 10) == 14 && crc32(0, NULL, 0) == 0 &&\n"
          "sqlite3_libversion_number() > 3000000 && atoi(\"12\") == 12; }"),
      1);
}

TEST_F(LinkerTest, functions_of_libc_that_the_kernel_implements_are_there) {
  auto image = link(
      "#include <sys/time.h>\n#include <time.h>\n"
      "long now(void) { struct timeval tv; return gettimeofday(&tv, NULL) == 0 ? time(NULL) : 0; }");
  ASSERT_NE(image, nullptr);
  const long before = time(nullptr);
  EXPECT_GE(function<long()>(*image, "now")(), before);
}

TEST_F(LinkerTest, the_compilers_own_helpers_are_there) {
  EXPECT_EQ(run("int run(void) { volatile __int128 a = (__int128)1 << 100, b = 7; return (int)(a / b % 1000); }"),
            static_cast<int>((static_cast<__int128>(1) << 100) / 7 % 1000));
}

TEST_F(LinkerTest, variables_of_libc_are_the_ones_that_the_process_uses) {
  const auto image =
      link("extern char **environ; FILE *in(void) { return stdin; } char ***env(void) { return &environ; }");
  EXPECT_EQ(function<FILE*()>(*image, "in")(), stdin);
  EXPECT_EQ(function<char***()>(*image, "env")(), &environ);
}

TEST_F(LinkerTest, code_asks_which_stream_it_prints_to_and_a_constant_has_the_variable) {
  const auto image = link(
      "FILE *out(void) { return stdout; } FILE **where(void) { return &stdout; }\n"
      "FILE *chosen(int other) { FILE **const from = other ? &stdin : &stdout; return *from; }\n"
      "static FILE **volatile constant = &stdout; FILE **kept(void) { return constant; }");
  EXPECT_EQ(function<FILE*()>(*image, "out")(), stream_of_call);
  EXPECT_EQ(function<FILE**()>(*image, "where")(), &stream_of_call);
  EXPECT_EQ(function<FILE*(int)>(*image, "chosen")(0), stream_of_call);
  EXPECT_EQ(function<FILE*(int)>(*image, "chosen")(1), stdin);
  EXPECT_EQ(function<FILE**()>(*image, "kept")(), &stream_variable);
}

TEST_F(LinkerTest, a_modules_own_definition_wins_over_every_library) {
  EXPECT_EQ(run("int SHA256_Init(void *c) { return 77; }\nint crc32(int a) { return a + 1; }\nint queue_size(void) { "
                "return 3; }\n"
                "int run(void) { return SHA256_Init(NULL) + crc32(1) + queue_size(); }"),
            82);
}

TEST_F(LinkerTest, versions_share_nothing) {
  const std::string lines = "int count;\nint run(void) { return ++count; }";
  const auto one = link(lines), other = link(lines);
  EXPECT_EQ(function<int()>(*one, "run")(), 1);
  EXPECT_EQ(function<int()>(*one, "run")(), 2);
  EXPECT_EQ(function<int()>(*other, "run")(), 1);
}

TEST_F(LinkerTest, a_weak_name_that_nobody_has_is_null) {
  EXPECT_EQ(run("__attribute__((weak)) int nowhere(void);\nint run(void) { return nowhere ? nowhere() : 5; }"), 5);
}

TEST_F(LinkerTest, a_large_zeroed_object_costs_nothing_until_it_is_used) {
  const size_t before = resident_bytes();
  const auto image = link("char large[48 << 20];\nint run(void) { return large[20 << 20]; }");
  EXPECT_EQ(function<int()>(*image, "run")(), 0);
  EXPECT_LT(resident_bytes(), before + (size_t{24} << 20));
  EXPECT_GE(image->bytes(), size_t{48} << 20);
}

TEST_F(LinkerTest, alignment_beyond_a_page_is_kept) {
  const auto image =
      link("char far[10] __attribute__((aligned(65536))) = {1};\nchar zero[10] __attribute__((aligned(16384)));");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(image->symbol("far")) % 65536, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(image->symbol("zero")) % 16384, 0U);
}

TEST_F(LinkerTest, a_float_loop_is_vectorised) {
  // mulps in any encoding works on several floats at a time: opcode 59 with no 66, F3 or F2 in front or in its prefix.
  const auto has_packed_multiplication = [](const CodeImage& image) {
    const auto* code = static_cast<const unsigned char*>(image.symbol("scale"));
    for (size_t i = 4; i < 1500; ++i) {
      if (code[i] != 0x59) continue;
      const bool sse = code[i - 1] == 0x0f && code[i - 2] != 0xf3 && code[i - 2] != 0xf2 && code[i - 2] != 0x66;
      const bool vex2 = code[i - 2] == 0xc5 && (code[i - 1] & 3) == 0;
      const bool vex3 = code[i - 3] == 0xc4 && (code[i - 1] & 3) == 0;
      const bool evex = code[i - 4] == 0x62 && (code[i - 2] & 3) == 0;
      if (sse || vex2 || vex3 || evex) return true;
    }
    return false;
  };
  const std::string loop = "for (int i = 0; i < n; i++) a[i] *= k; }\nchar rest[4096] = {1};";
  EXPECT_TRUE(has_packed_multiplication(*link("void scale(float *a, float k, int n) {\n" + loop)));
  EXPECT_FALSE(has_packed_multiplication(
      *link("void scale(float *a, float k, int n) {\n#pragma clang loop vectorize(disable) unroll(disable)\n" + loop)));
}

// ----------------------------------------------------------------------------------------------------- constructors

TEST_F(LinkerTest, constructors_are_handed_out_in_order_and_not_run) {
  // What the optimiser can work out itself needs no constructor.
  const auto image = link(
      "volatile int order;\n"
      "__attribute__((constructor)) static void last(void) { order = order * 10 + 3; }\n"
      "__attribute__((constructor(300))) static void second(void) { order = order * 10 + 2; }\n"
      "__attribute__((constructor(101))) static void first(void) { order = order * 10 + 1; }\n"
      "__attribute__((destructor)) static void never(void) { order = 0; }");
  const int& order = *static_cast<int*>(image->symbol("order"));
  EXPECT_EQ(order, 0);
  EXPECT_THAT(image->constructors(), SizeIs(3));
  for (auto* constructor : image->constructors()) constructor();
  EXPECT_EQ(order, 123);
}

TEST_F(LinkerTest, a_module_without_constructors_has_none) {
  EXPECT_THAT(link("")->constructors(), IsEmpty());
}

// ----------------------------------------------------------------------------------------------------- what is refused

TEST_F(LinkerTest, an_undefined_symbol_is_shown_at_its_first_use) {
  const LinkFailure failure = link_failure("int foo(int);\nint f(void) {\n  return foo(1) + foo(2);\n}");
  EXPECT_EQ(failure.rendered,
            "module.c:4:10: error: undefined symbol 'foo'\n"
            "    4 |   return foo(1) + foo(2);\n"
            "      |          ^\n"
            "note: none of the libraries that modules may use has it; `cweb serve --link libNAME.so` offers another "
            "one\n");
  ASSERT_THAT(failure.diagnostics, SizeIs(2));
  EXPECT_EQ(failure.diagnostics[0].position.line, 4U);
  EXPECT_EQ(failure.diagnostics[0].severity, Diagnostic::Severity::error);
  EXPECT_EQ(failure.diagnostics[1].severity, Diagnostic::Severity::note);
}

TEST_F(LinkerTest, every_undefined_symbol_is_shown_in_the_order_of_the_source) {
  const LinkFailure failure = link_failure(
      "extern int one;\nextern _Thread_local int two;\nint three(void);\n"
      "int f(void) { return one + two + three(); }");
  ASSERT_THAT(failure.diagnostics, SizeIs(4));
  EXPECT_EQ(failure.diagnostics[0].message, "undefined symbol 'one'");
  EXPECT_EQ(failure.diagnostics[1].message, "undefined symbol 'two'");
  EXPECT_EQ(failure.diagnostics[2].message, "undefined symbol 'three'");
  EXPECT_EQ(failure.diagnostics[2].position.line, 5U);
}

TEST_F(LinkerTest, symbols_of_llvm_of_the_server_and_of_other_libraries_are_undefined) {
  for (const char* name : {"LLVMContextCreate", "LLVMInitializeX86Target", "seccomp_init", "mallctl", "je_mallctl",
                           "cweb_sysroot_begin", "main", "SSL_CTX_new", "__cxa_throw", "_dl_open"}) {
    const LinkFailure failure = link_failure(std::string("void *") + name + "_(void) __asm__(\"" + name +
                                             "\");\nvoid *f(void) { return " + name + "_(); }");
    EXPECT_THAT(failure.rendered, HasSubstr(std::string("undefined symbol '") + name + "'"));
  }
}

TEST_F(LinkerTest, functions_that_hurt_the_server_are_refused_with_the_reason) {
  EXPECT_THAT(
      link_failure("#include <dlfcn.h>\nvoid *f(void) { return dlopen(\"x\", 1); }").rendered,
      HasSubstr("module.c:3:24: error: modules may not use 'dlopen': libraries that a module loads would stay"));
  EXPECT_THAT(link_failure("#include <unistd.h>\nint f(void) { return setuid(0); }").rendered,
              HasSubstr("modules may not use 'setuid': it changes the whole server process"));
  EXPECT_THAT(link_failure("int f(void) { return sqlite3_shutdown(); }").rendered,
              HasSubstr("modules may not use 'sqlite3_shutdown': it changes what all modules share"));
}

TEST_F(LinkerTest, what_would_keep_an_address_of_the_module_or_is_everybodys_is_refused) {
  for (const char* name : {"RAND_set_rand_method",
                           "EVP_set_default_properties",
                           "EVP_default_properties_enable_fips",
                           "OSSL_PROVIDER_unload",
                           "OSSL_PROVIDER_add_builtin",
                           "OSSL_LIB_CTX_set0_default",
                           "ENGINE_set_default_RAND",
                           "X509V3_EXT_add_alias",
                           "ERR_load_strings_const",
                           "sqlite3_vfs_register",
                           "sqlite3_vfs_unregister",
                           "sqlite3_temp_directory",
                           "register_printf_specifier",
                           "register_printf_function",
                           "register_printf_modifier",
                           "register_printf_type",
                           "initstate",
                           "getopt_long",
                           "hsearch",
                           "fopencookie",
                           "open_wmemstream"}) {
    const LinkFailure failure = link_failure(std::string("extern int ") + name + "_ __asm__(\"" + name +
                                             "\");\nvoid *f(void) { return &" + name + "_; }");
    EXPECT_THAT(failure.rendered, HasSubstr(std::string("modules may not use '") + name + "': "));
  }
}

TEST_F(LinkerTest, an_object_that_is_none_is_refused) {
  Compilation broken = compilation(module_with(""));
  broken.object = "not an object";
  EXPECT_THAT(linker_->link(broken, "").error().rendered, HasSubstr("cannot be linked"));
  broken = compilation(module_with(""));
  broken.object.resize(broken.object.size() / 2);
  EXPECT_THAT(linker_->link(broken, "").error().rendered, HasSubstr("cannot be linked"));
}

TEST_F(LinkerTest, a_section_beyond_all_bounds_is_refused) {
  EXPECT_THAT(link_failure("__asm__(\".bss\\nq: .zero 0x10000000000\\n.globl q\\n.text\");").rendered,
              HasSubstr("the limits are"));
}

// ------------------------------------------------------------------------------------------------------------- lines

TEST_F(LinkerTest, a_pc_is_told_as_function_and_line_with_what_was_inlined) {
  const auto image = link(
      "volatile int *volatile where;\n"                                    // 2
      "static inline __attribute__((always_inline)) void inner(void) {\n"  // 3
      "  *where = 1;\n"                                                    // 4
      "}\n"                                                                // 5
      "void outer(void) {\n"                                               // 6
      "  inner();\n"                                                       // 7
      "}");
  const auto begin = reinterpret_cast<uintptr_t>(image->symbol("outer"));
  bool was_found = false;
  for (uintptr_t pc = begin; pc < begin + 64; ++pc) {
    const std::vector<CodeLocation> chain = image->locate(pc);
    if (chain.size() != 2) continue;
    was_found = true;
    EXPECT_EQ(chain[0].function, "inner");
    EXPECT_EQ(chain[0].position.line, 4U);
    EXPECT_EQ(chain[1].function, "outer");
    EXPECT_EQ(chain[1].position.line, 7U);
  }
  EXPECT_TRUE(was_found);
  EXPECT_EQ(image->locate(begin).back().function, "outer");
}

TEST_F(LinkerTest, functions_in_other_sections_keep_their_own_lines) {
  const auto image = link(
      "__attribute__((cold)) int rare(void) { return 1; }\n"
      "__attribute__((section(\".text.other\"))) int other(void) { return 2; }\n"
      "int usual(void) { return 3; }\n"
      "static int quiet(int a) { return a * 4; }\n"
      "int (*volatile pointer)(int) = quiet;");
  const auto line_of = [&](const char* name) {
    const std::vector<CodeLocation> chain = image->locate(reinterpret_cast<uintptr_t>(image->symbol(name)));
    EXPECT_THAT(chain, SizeIs(1)) << name;
    EXPECT_EQ(chain.at(0).function, name);
    return chain.at(0).position.line;
  };
  EXPECT_EQ(line_of("rare"), 2U);
  EXPECT_EQ(line_of("other"), 3U);
  EXPECT_EQ(line_of("usual"), 4U);
  const auto quiet = image->locate(*static_cast<uintptr_t*>(image->symbol("pointer")));
  ASSERT_THAT(quiet, SizeIs(1));
  EXPECT_EQ(quiet[0].function, "quiet");
  EXPECT_EQ(quiet[0].position.line, 5U);
}

TEST_F(LinkerTest, addresses_outside_are_not_located_and_not_contained) {
  const auto image = link("int number = 1; int run(void) { return 1; }");
  EXPECT_TRUE(image->contains(image->symbol("number")));
  EXPECT_TRUE(image->contains(image->symbol("run")));
  EXPECT_FALSE(image->contains(&host_number));
  EXPECT_FALSE(image->contains(nullptr));
  EXPECT_THAT(image->locate(reinterpret_cast<uintptr_t>(&host_answer)), IsEmpty());
  EXPECT_THAT(image->locate(0), IsEmpty());
  EXPECT_THAT(image->locate(reinterpret_cast<uintptr_t>(image->symbol("number"))), IsEmpty());
}

// ----------------------------------------------------------------------------------------------------- what is left

TEST_F(LinkerTest, two_thousand_links_leave_mappings_and_descriptors_where_they_were) {
  const std::string source = module_with(
      "int count; char space[100000];\nint run(void) { space[50000]++; return printf(\"\"); }\n"
      "__attribute__((cold)) int rare(void) { return count; }");
  const Compilation made = compilation(source);
  const auto cycle = [&] {
    const auto image = linker_->link(made, source);
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(function<int()>(**image, "run")(), 0);
    EXPECT_THAT((*image)->locate(reinterpret_cast<uintptr_t>((*image)->symbol("run"))), Not(IsEmpty()));
  };
  for (int i = 0; i < 100; ++i) cycle();
  const size_t mappings = count_mappings(), descriptors = count_descriptors(), resident = resident_bytes();
  for (int i = 0; i < 2000; ++i) cycle();
  // The allocator may take a region more; a leak would be thousands.
  EXPECT_LE(count_mappings(), mappings + 20);
  EXPECT_EQ(count_descriptors(), descriptors);
#ifndef CWEB_SANITIZED
  EXPECT_LE(resident_bytes(), resident + (size_t{4} << 20));
#else
  static_cast<void>(resident);
#endif
}

TEST_F(LinkerTest, images_outlive_the_linker_and_go_in_any_order) {
  std::vector<std::unique_ptr<CodeImage>> images;
  for (int i = 0; i < 20; ++i) images.push_back(link("int run(void) { return " + std::to_string(i) + "; }"));
  linker_.reset();
  for (size_t i = 0; i < images.size(); i += 2) images[i].reset();
  for (size_t i = 1; i < images.size(); i += 2) {
    EXPECT_EQ(function<int()>(*images[i], "run")(), static_cast<int>(i));
  }
}

TEST_F(LinkerTest, threads_link_and_unlink_side_by_side) {
  const std::string source = module_with("int value = 3;\nint run(void) { return value; }");
  const Compilation made = compilation(source);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto image = linker_->link(made, source);
        ASSERT_TRUE(image.has_value());
        EXPECT_EQ(function<int()>(**image, "run")(), 3);
        EXPECT_THAT((*image)->locate(reinterpret_cast<uintptr_t>((*image)->symbol("run"))), SizeIs(1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace cweb::jit
