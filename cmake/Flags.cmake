# Warnings, sanitizers and hardening as interface targets; nothing is set globally.
add_library(frontdesk_flags INTERFACE)
target_compile_features(frontdesk_flags INTERFACE c_std_11)
target_compile_definitions(frontdesk_flags INTERFACE _GNU_SOURCE FRONTDESK_VERSION="${PROJECT_VERSION}")
target_include_directories(frontdesk_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(frontdesk_flags INTERFACE Threads::Threads)
target_compile_options(frontdesk_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wold-style-definition -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wcast-align
  -Wwrite-strings -Wundef -Wvla -Walloca -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference
  $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init>
  $<$<C_COMPILER_ID:Clang>:-Wmissing-variable-declarations -Wcomma -Wconditional-uninitialized -Wassign-enum>
  $<$<BOOL:${FRONTDESK_WERROR}>:-Werror>)

if(FRONTDESK_SANITIZE)
  target_compile_options(frontdesk_flags INTERFACE
    -fsanitize=${FRONTDESK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(frontdesk_flags INTERFACE -fsanitize=${FRONTDESK_SANITIZE})
endif()

# The fuzzer finds its way by what it covers: the layers must tell it, not only the target's own file.
if(FRONTDESK_FUZZ)
  target_compile_options(frontdesk_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Asserts stay on in every build: a broken invariant must not go on.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
# Jumps and returns that land where they should. The mark for indirect jumps (IBT) is the linker's to give: it does
# where the system's start files have it too, which Debian's have not. Returns ask nothing of them.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(control_flow -fcf-protection=full)
  set(control_flow_link -Wl,-z,shstk)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  set(control_flow -mbranch-protection=standard)
endif()
target_compile_options(frontdesk_flags INTERFACE $<$<CONFIG:Release>:
  -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
  ${control_flow} -fno-common -fPIE $<$<C_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>>)
target_link_options(frontdesk_flags INTERFACE
  $<$<CONFIG:Release>:-pie -Wl,-z,relro,-z,now,-z,noexecstack ${control_flow_link}>)
