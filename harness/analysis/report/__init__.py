"""One self-contained HTML file for a results folder: filter trials, open one, read all of it.

    page          write_report: everything below, put into `page/page.html.j2`
    gather        records and files of a run, a trial at a time
    headline      the first lines of the page: shares and differences with their intervals
    pictures      the figures as data URIs, with their captions
    instructions  the tasks' words, where the checkout still holds those that were used
    index         what the table of trials filters and sorts, column by column
    detail        what an opened trial shows: verdict, patch, effort
    talk          its conversation, turn by turn
    blobs         texts cut to a stated size, packed, each kept once

The page gets its data as JSON and base64 and writes it with textContent only; its policy forbids
every script but its own, and the network.
"""
