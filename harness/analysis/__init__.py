"""From records to frames, tables and figures; reads a results folder, needs no engine and no keys.

Nothing is imported here: pandas, pyarrow and matplotlib load only when a table is asked for.

    frame     records -> frames -> Parquet
    names     agents and models as figures write them
    order     the order in which arms, agents and classes are shown
    summary   frame -> one row a task, agent and arm; differences between arms
    tables    the same for a terminal and for LaTeX
    figures   the overview figure: grid (where things stand), factors, bars
    columns   docs/columns.md
    outputs   all of it, for one folder
    report    the page that shows every trial

    estimate    paired estimates: pairing, clusters, effects, parts, cost, hypotheses, ...
    comparison  one contrast by the levels of a factor: `seambench compare`
    paper       the figures of a paper, in three styles: `seambench figures`
    claims      its tables, and every number with the digest of its rows
    simulation  studies whose truth is known: what the estimators are proven on
    simulated   a whole simulated study, so that figures can be seen
"""
