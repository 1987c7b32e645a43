/*
 * banned.h - force-included everywhere but in base/: what has a safer twin does not compile.
 *
 * The standard headers come first, so that their own declarations are not touched.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef sprintf
#undef strtok
#undef atoi
#undef gmtime
#undef localtime
#undef rand
#undef malloc
#undef calloc
#undef realloc
#define strcpy    use_an_arena_copy_instead_of_strcpy
#define strcat    use_a_buf_instead_of_strcat
#define strncpy   use_an_arena_copy_instead_of_strncpy
#define sprintf   use_arena_printf_instead_of_sprintf
#define strtok    use_sv_cut_instead_of_strtok
#define atoi      use_sv_i64_instead_of_atoi
#define gmtime    use_wire_time_instead_of_gmtime
#define localtime use_wire_time_instead_of_localtime
#define rand      use_world_random_instead_of_rand
#define malloc    use_an_arena_instead_of_malloc
#define calloc    use_an_arena_instead_of_calloc
#define realloc   use_an_arena_instead_of_realloc

#endif
