#define PCRE2_CODE_UNIT_WIDTH 8
#include "weir/version.h"

#include <curl/curl.h>
#include <pcre2.h>
#include <stdio.h>
#include <yaml.h>

#include "json_internal.h"

const char *weir_version(void)
{
    return WEIR_VERSION;
}

const char *weir_version_libraries(void)
{
    static _Thread_local char text[256];
    char pcre2[32] = "";

    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    snprintf(text, sizeof(text), "%s cJSON/%s libyaml/%s PCRE2/%s",
             curl_version(), weir_json_library_version(),
             yaml_get_version_string(), pcre2);
    return text;
}
