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

    /* Not curl_version(): it wakes OpenLDAP and SASL, which look for plugins
     * in the file system and print on stdout when memory is out. */
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);

    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    snprintf(text, sizeof(text),
             "libcurl/%s %s zlib/%s cJSON/%s libyaml/%s PCRE2/%s",
             curl->version, curl->ssl_version ? curl->ssl_version : "no-TLS",
             curl->libz_version ? curl->libz_version : "none",
             weir_json_library_version(), yaml_get_version_string(), pcre2);
    return text;
}
