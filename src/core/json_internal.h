/* What json.c tells the rest of the core, and nobody else. */
#ifndef WEIR_JSON_INTERNAL_H
#define WEIR_JSON_INTERNAL_H

/* cJSON's version; only one file of the core includes cJSON.h. */
const char *weir_json_library_version(void);

#endif
