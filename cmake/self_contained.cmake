# The server with Clang and LLVM inside: what the container image has. The shared libraries are made for every processor
# and for tools that cweb has not; with what they link to they are a quarter of a gigabyte, of which this takes a third.

find_library(ZSTD_LIBRARY zstd REQUIRED)
execute_process(COMMAND /usr/lib/llvm-19/bin/llvm-config --link-static --libfiles
  OUTPUT_VARIABLE llvm_archives OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(llvm_archives)
# Listed, but of another package.
list(FILTER llvm_archives EXCLUDE REGEX Polly)
set(clang_archives)
foreach(part Frontend CodeGen Serialization Driver Parse Sema APINotes Analysis Edit AST ASTMatchers Lex Basic Support
             ExtractAPI Index Rewrite Format ToolingCore ToolingInclusions)
  list(APPEND clang_archives /usr/lib/llvm-19/lib/libclang${part}.a)
endforeach()

add_library(cweb_static_llvm INTERFACE)
target_link_libraries(cweb_static_llvm INTERFACE
  -Wl,--start-group ${clang_archives} ${llvm_archives} -Wl,--end-group ${ZSTD_LIBRARY} ZLIB::ZLIB)

add_executable(cweb_self_contained EXCLUDE_FROM_ALL src/main.cpp src/parts.cpp src/supervise.cpp)
target_link_libraries(cweb_self_contained PRIVATE cweb_flags ${CWEB_PARTS})
target_link_options(cweb_self_contained PRIVATE ${CWEB_LTO_LINK} -Wl,--gc-sections)
set_target_properties(cweb_self_contained PROPERTIES
  CWEB_STATIC_LLVM ON OUTPUT_NAME cweb RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/self_contained)
